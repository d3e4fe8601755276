import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ObjectsExportRequest, ObjectsRequest, ObjectSummary } from "#model/engine-api.ts";
import { CommandLine } from "./command-line.ts";

const first: ObjectSummary = {
  objectId: 1,
  cid: "bafkreifirst",
  size: 2_048,
  path: '/a, "b".bin',
  nameCount: 1,
  type: undefined,
  collection: undefined,
  owner: "=cmd()",
  heat: 0.5,
  accessed: "2026-05-31T23:00:00.000Z",
  backends: ["cold", "hot"],
  verified: 1,
  held: true,
};
const second: ObjectSummary = {
  ...first,
  objectId: 2,
  path: "/b",
  nameCount: 3,
  accessed: undefined,
};

let line: CommandLine;
let asked: ObjectsRequest[];
beforeEach(async () => {
  line = await CommandLine.open();
  asked = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await line[Symbol.asyncDispose]();
});

async function* objects(request: ObjectsRequest) {
  asked.push(request);
  yield await Promise.resolve([first]);
  yield [second];
}

async function list(...more: string[]): Promise<string> {
  const { code, stdout } = await line.run(["objects", "ls", ...more], { api: { objects } });
  expect(code).toBe(0);
  return stdout;
}

test("objects are listed as a table, JSON, lines of JSON or CSV", async () => {
  const text = (await list()).split("\n");
  expect(text[0]).toMatch(/^CID +SIZE +HEAT +READ +COPIES +PATH$/);
  expect(text[1]).toMatch(/2.00 KiB +0.50 +1h ago +cold hot \(1 verified\) held +\/a, "b".bin$/);
  expect(text[2]).toMatch(/never +cold hot \(1 verified\) held +\/b \(and 2 other names\)$/);
  const { path: firstPath } = first;
  expect(JSON.parse(await list("-o", "json"))).toMatchObject({
    schemaVersion: 1,
    objects: [{ objectId: 1, path: firstPath, backends: ["cold", "hot"] }, { objectId: 2 }],
  });
  const lines = (await list("-o", "ndjson")).trimEnd().split("\n");
  expect(lines.map((text) => (JSON.parse(text) as ObjectSummary).objectId)).toEqual([1, 2]);
  const csv = (await list("-o", "csv")).split("\r\n");
  expect(csv[0]).toBe(
    "objectId,cid,size,path,type,collection,owner,heat,accessed,backends,verified,held,nameCount",
  );
  expect(csv[1]).toBe(
    `1,bafkreifirst,2048,"/a, ""b"".bin",,,'=cmd(),0.5,2026-05-31T23:00:00.000Z,cold hot,1,true,1`,
  );
});

test("a list has a limit unless all are asked for, and says when there are more", async () => {
  await list("--where", "held", "--sort", "heat desc, size");
  await list("--all");
  await list("--limit", "7", "-o", "ndjson");
  expect(asked).toEqual([{ where: "held", sort: "heat desc, size", limit: 50 }, {}, { limit: 7 }]);
  const two = await line.run(["objects", "ls", "--limit", "2"], { api: { objects } });
  expect(two.stderr).toContain("the first 2; see more with --limit or --all");
});

async function listWith(form: string) {
  vi.stubEnv("THERMOCLINE_OUTPUT", form);
  return await line.run(["objects", "ls"], { api: { objects } });
}

test("the form may come from the environment, which is for all commands", async () => {
  expect((await listWith("ndjson")).stdout).toMatch(/^{"objectId":1,/);
  expect((await listWith("github")).stdout).toMatch(/^CID /);
  expect((await listWith("xlsx")).code).toBe(64);
});

test("an output that names a file is written by the engine, whole", async () => {
  const requests: ObjectsExportRequest[] = [];
  const exportObjects = (request: ObjectsExportRequest) => {
    requests.push(request);
    return Promise.resolve({ file: request.file, rows: 1_200, bytes: 4_096 });
  };
  const argv = ["objects", "ls", "--sort", "size", "-o", "out/all.parquet"];
  const { code, stdout } = await line.run(argv, { api: { exportObjects } });
  const file = join(line.cwd, "out/all.parquet");
  expect([code, stdout]).toEqual([0, `1,200 objects, 4.00 KiB, in ${file}\n`]);
  expect(requests).toEqual([{ sort: "size", file }]);
  const wrong = await line.run(["objects", "ls", "-o", "all.xlsx"], { api: { exportObjects } });
  expect(wrong.code).toBe(64);
  expect(wrong.stderr).toContain("text|json|ndjson|csv");
});

async function* query() {
  const columns = ["n", "at"];
  yield await Promise.resolve({ columns, rows: [{ n: 1n, at: new Date(0) }] });
  yield { columns, rows: [{ n: null, at: "x,y" }] };
}

async function ask(...more: string[]): Promise<string> {
  return (await line.run(["index", "query", "SELECT 1", ...more], { api: { query } })).stdout;
}

test("a query is answered in all forms that lists have", async () => {
  expect(await ask("-o", "csv")).toBe('n,at\r\n1,1970-01-01T00:00:00.000Z\r\n,"x,y"\r\n');
  expect(await ask("-o", "ndjson")).toBe(
    '{"n":"1","at":"1970-01-01T00:00:00.000Z"}\n{"n":null,"at":"x,y"}\n',
  );
  expect(JSON.parse(await ask("-o", "json"))).toMatchObject({
    schemaVersion: 1,
    columns: ["n", "at"],
    rows: [{ n: "1" }, { at: "x,y" }],
  });
  expect(await ask()).toMatch(/^N +AT\n1 +1970-01-01T00:00:00.000Z\n +x,y\n$/);
});
