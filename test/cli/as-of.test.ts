import { afterEach, beforeEach, expect, test } from "vitest";
import type { EngineApi } from "#model/engine-api.ts";
import { sampleSnapshot, sampleSnapshotCar, sampleTransfer } from "../api/sample-snapshot.ts";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

interface Asked {
  readonly api: Partial<EngineApi>;
  readonly calls: unknown[];
}

/** An engine that lists nothing, and notes what it was asked. */
function asked(): Asked {
  const calls: unknown[] = [];
  return {
    calls,
    api: {
      findSnapshot: (reference) => {
        calls.push(["find", reference]);
        return Promise.resolve(sampleSnapshot);
      },
      pullSnapshot: (request) => {
        calls.push(["pull", request]);
        return Promise.resolve(sampleTransfer);
      },
      async *objects(request) {
        calls.push(["objects", request]);
        yield await Promise.resolve([]);
      },
      async *query(text, options) {
        calls.push(["query", text, options]);
        yield await Promise.resolve({ columns: ["n"], rows: [{ n: 1 }] });
      },
    },
  };
}

test("a list as of a snapshot asks that one, and says which it is and how old", async () => {
  const { api, calls } = asked();
  const outcome = await line.run(["objects", "ls", "--snapshot", "bafys"], { api });
  expect(calls).toEqual([
    ["find", "bafys"],
    ["objects", { snapshot: "bafysnapshot", limit: 50 }],
  ]);
  expect(outcome.stderr).toMatch(/^as of snapshot bafysnapshot, taken 2026-.* ago\n/);
});

test("--at names the newest snapshot not after a time, and not beside --snapshot", async () => {
  const { api, calls } = asked();
  await line.run(["index", "query", "SELECT 1 AS n", "--at", "2026-02-01"], { api });
  expect(calls).toEqual([
    ["find", "2026-02-01"],
    ["query", "SELECT 1 AS n", { snapshot: "bafysnapshot" }],
  ]);
  const both = ["objects", "ls", "--at", "2026-02-01", "--snapshot", "newest"];
  expect((await line.run(both, { api })).code).toBe(64);
  const nonsense = await line.run(["objects", "ls", "--at", "yesterday"], { api });
  expect(nonsense).toMatchObject({ code: 64 });
  expect(nonsense.stderr).toContain('"yesterday" is not a time');
});

test("--from fetches from a backend first; alone it means the newest", async () => {
  const { api, calls } = asked();
  await line.run(["objects", "ls", "--from", "archive"], { api });
  await line.run(["objects", "ls", "--from", "archive", "--snapshot", "bafyold"], { api });
  expect(calls.filter((call) => Array.isArray(call) && call[0] === "pull")).toEqual([
    ["pull", { snapshot: "newest", from: "archive", passing: true }],
    ["pull", { snapshot: "bafyold", from: "archive", passing: true }],
  ]);
});

test("without any of them the index itself is asked", async () => {
  const { api, calls } = asked();
  await line.run(["index", "query", "SELECT 1 AS n"], { api });
  expect(calls).toEqual([["query", "SELECT 1 AS n", {}]]);
});

test("index snapshot push and pull say what moved, and want to know the backend", async () => {
  const requests: unknown[] = [];
  const api: Partial<EngineApi> = {
    pushSnapshot: (request) => {
      requests.push(request);
      return Promise.resolve(sampleTransfer);
    },
    pullSnapshot: (request) => {
      requests.push(request);
      return Promise.resolve(sampleTransfer);
    },
  };
  const pushed = await line.run(["index", "snapshot", "push", "--to", "s3"], { api });
  expect(pushed.stdout).toContain("sent 3 parts of 30, 2.00 KiB, to s3");
  const pull = ["index", "snapshot", "pull", "2026-01-01", "--from", "s3", "--full"];
  expect((await line.run(pull, { api })).stdout).toContain("fetched 3 parts of 30, 2.00 KiB");
  expect(requests).toEqual([
    { snapshot: "newest", to: "s3" },
    { snapshot: "2026-01-01", from: "s3", full: true },
  ]);
  expect((await line.run(["index", "snapshot", "push"], { api })).code).toBe(64);
});

test("index snapshot export writes where the person stands", async () => {
  const files: string[] = [];
  const api: Partial<EngineApi> = {
    exportSnapshot: ({ file }) => {
      files.push(file);
      return Promise.resolve({ ...sampleSnapshotCar, file });
    },
  };
  await line.run(["index", "snapshot", "export", "newest", "index.car"], { api });
  expect(files).toEqual([`${line.cwd}/index.car`]);
});

test("what is on a backend is listed and given up there", async () => {
  const requests: unknown[] = [];
  const api: Partial<EngineApi> = {
    snapshots: (request) => {
      requests.push(request);
      return Promise.resolve({ snapshots: [], damaged: [] });
    },
    collectSnapshots: (request) => {
      requests.push(request);
      return Promise.resolve({ kept: [], removed: [], partsRemoved: 0, bytesRemoved: 0 });
    },
  };
  await line.run(["index", "snapshot", "ls", "--on", "s3"], { api });
  await line.run(["index", "snapshot", "gc", "--keep", "2", "--on", "s3"], { api });
  expect(requests).toEqual([{ on: "s3" }, { keep: 2, dryRun: false, on: "s3" }]);
});
