import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileToCar } from "#content/file-to-car.ts";
import { rawCid } from "#content/cid.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { StoreObjectRequest } from "#model/object-content.ts";
import { CommandLine } from "./command-line.ts";

const bytes = Buffer.from("content");
const cid = rawCid(bytes).toString();
const object = { cid, size: bytes.length, profile: "unixfs-v1-2025" };

let line: CommandLine;
let stored: (readonly [StoreObjectRequest, string])[];
beforeEach(async () => {
  line = await CommandLine.open();
  stored = [];
  await writeFile(join(line.cwd, "a.txt"), bytes);
});
afterEach(() => line[Symbol.asyncDispose]());

const kept = [{ fact: "owner", value: "ben", given: "ana" }] as const;

/** An engine with one object, which has a copy that is gone and one that is there. */
const api: Partial<EngineApi> = {
  async storeObject(request, stream) {
    stored.push([request, (await buffer(stream)).toString()]);
    const facts = { backend: "hot", form: "file", bytes: 7, confidence: "verified" } as const;
    return { cid: request.cid, size: request.size, ...facts, moved: true, added: true, kept };
  },
  objectSources() {
    const facts = { form: "file", confidence: "verified" } as const;
    const gone = { backend: "hot", tier: "hot", ...facts } as const;
    const there = { backend: "cold", tier: "cold", ...facts } as const;
    const more = { type: undefined, names: ["/in/a.txt"], damaged: ["hot"] };
    return Promise.resolve({ ...object, ...more, sources: [gone, there] });
  },
  async *readObject({ backend, form }) {
    if (backend === "hot") throw new EngineError("NOT_FOUND", "hot holds no copy of it");
    const whole = (async function* () {
      yield await Promise.resolve(bytes);
    })();
    yield* form === "file" ? whole : fileToCar(whole, object);
  },
};

test("objects add hands in what its options say, and tells apart what went wrong", async () => {
  const options = ["--to", "hot", "--tag", "x", "--meta", "project=atlas", "--owner", "ana"];
  const { code, stdout, stderr } = await line.run(["objects", "add", "a.txt", ...options], { api });
  expect(code).toBe(0);
  expect(stderr).toContain(
    "a.txt: --owner ana is not applied: the index has it with owner ben already\n",
  );
  expect(stdout).toBe(`${cid}  7 B  a.txt  stored on hot, verified\n`);
  expect(stored).toMatchObject([
    [
      {
        ...object,
        form: "file",
        backend: "hot",
        names: ["a.txt"],
        type: "text/plain",
        tags: ["x", "project=atlas"],
        owner: "ana",
      },
      "content",
    ],
  ]);
  const partly = await line.run(["objects", "add", "a.txt", "nothere"], { api });
  expect(partly).toMatchObject({ code: 3, stdout });
  expect(partly.stderr).toContain("problem: nothere: ");
  for (const wrong of [
    ["a.txt", "b", "--name", "/x"],
    ["a.txt", "--meta", "atlas"],
    ["-", "-"],
  ]) {
    expect(await line.run(["objects", "add", ...wrong], { api })).toMatchObject({ code: 64 });
  }
});

test("a dry run prints the CID of what comes through a pipe, without an engine", async () => {
  const { code, stdout } = await line.run(["objects", "add", "-", "--dry-run"], {
    input: "content",
  });
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${cid}  7 B  -\n` });
});

test("objects get says which copy is gone, and gives what it got from another one", async () => {
  const piped = await line.run(["objects", "get", "/in/a.txt", "-o", "-"], { api });
  expect(piped).toMatchObject({ code: 0, stdout: "content" });
  expect(piped.stderr).toContain("the copy on hot is damaged (hot holds no copy of it)");
  const inside = await line.run(["objects", "get", cid, "-o", "new.txt"], { api });
  expect(inside.stdout).toBe(`${cid}\na file, 7 B, in ${join(line.cwd, "new.txt")}\n`);
  const again = await line.run(["objects", "get", cid, "-o", "new.txt"], { api });
  expect(again).toMatchObject({ code: 1 });
  const forced = ["objects", "get", cid, "-o", "new.txt", "--force", "--from", "cold"];
  expect(await line.run(forced, { api })).toMatchObject({ code: 0 });
  expect(await readFile(join(line.cwd, "new.txt"))).toEqual(bytes);
});

test("what export-car writes import-car takes", async () => {
  const written = await line.run(["export-car", "/in/a.txt", "-o", "a.car"], { api });
  expect(written.stdout).toMatch(new RegExp(`^${cid}\n\\d+ B, in .*a.car\n$`));
  const checked = await line.run(["import-car", "a.car", "--dry-run"]);
  expect(checked).toMatchObject({
    code: 0,
    stdout: `${cid}  7 B, 1 block, profile unixfs-v1-2025, whole\n`,
  });
  const taken = await line.run(["import-car", "a.car", "--name", "/b"], { api });
  expect(taken.stdout).toContain("stored on hot, verified");
  expect(stored).toMatchObject([[{ ...object, form: "car", names: ["/b"] }, expect.anything()]]);
  expect(await line.run(["export-car", "-o", "x.car"], { api })).toMatchObject({ code: 64 });
  const again = ["export-car", "/in/a.txt", "-o", "a.car"];
  const refused = await line.run(again, { api });
  expect(refused.stderr).toContain("a.car is there already");
  expect(refused.stderr).toContain("--force");
  expect(await line.run([...again, "--force"], { api })).toMatchObject({ code: 0 });
});
