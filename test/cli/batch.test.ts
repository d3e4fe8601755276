import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sampleBatch } from "../api/sample-batch.ts";
import { message, openRegistry } from "../engine/batches/message.ts";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

test("batch publish says what came of its source, with its tags", async () => {
  const asked: unknown[] = [];
  const api = {
    publishBatch: (request: object) => {
      asked.push(request);
      return Promise.resolve(sampleBatch);
    },
  };
  const command = ["batch", "publish", "--query", "FROM object", "--tag", "a=b=c", "--tag", "d="];
  const said = await line.run(command, { api });
  expect(said).toMatchObject({
    code: 0,
    stdout: "bafybatch\n10 rows of 1 column, 1.21 KiB\n",
  });
  await line.run(["batch", "publish", "--file", "made.arrow"], { api });
  expect(asked).toEqual([
    { query: "FROM object", tags: { a: "b=c", d: "" } },
    { file: join(line.cwd, "made.arrow") },
  ]);
  const wrong = await line.run(["batch", "publish", "--tag", "nothing"], { api });
  expect(wrong.code).toBe(64);
  expect(wrong.stderr).toContain("name=value");
});

test("batch lists the newest, for people and programs", async () => {
  const api = { batches: () => Promise.resolve([sampleBatch]) };
  const text = await line.run(["batch"], { api });
  expect(text.stdout).toMatch(/^BATCH +PUBLISHED +ROWS +BYTES +COLUMNS +TAGS\nbafybatch .* kind=é/);
  const json = await line.run(["batch", "ls", "-o", "json"], { api });
  expect(JSON.parse(json.stdout)).toMatchObject({ schemaVersion: 1, batches: [sampleBatch] });
  const none = await line.run(["batch", "ls"], { api: { batches: () => Promise.resolve([]) } });
  expect(none.stdout).toContain("no batch yet");
});

test("batch get keeps what has the CID that was asked for, and nothing else", async () => {
  const registry = await openRegistry();
  const { cid } = registry.publishBytes(message(1));
  const batch = async function* () {
    yield await registry.bytes(cid);
  };
  const got = await line.run(["batch", "get", cid, "a.arrow"], { api: { batch } });
  expect(got).toMatchObject({ code: 0 });
  expect(got.stdout).toContain(cid);
  expect(await readFile(join(line.cwd, "a.arrow"))).toEqual(Buffer.from(message(1)));
  const other = cid.replace(/.$/, cid.endsWith("a") ? "q" : "a");
  const refused = await line.run(["batch", "get", other, "b.arrow"], { api: { batch } });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("its bytes have another CID");
  expect(await readdir(line.cwd)).toEqual(["a.arrow"]);
});

function checks(state: "damaged" | "intact") {
  return {
    checkBatches: () =>
      Promise.resolve([
        { cid: "bafyone", state: "intact" as const, bytes: 1_024 },
        { cid: "bafytwo", state, bytes: 1_024 },
      ]),
  };
}

test("batch verify ends with 1 when a batch is not what its name says", async () => {
  const wrong = await line.run(["batch", "verify"], { api: checks("damaged") });
  expect(wrong).toMatchObject({
    code: 1,
    stdout: "bafytwo: damaged\n1 batch intact, 2.00 KiB read\n",
  });
  const good = await line.run(["batch", "verify"], { api: checks("intact") });
  expect(good).toMatchObject({ code: 0, stdout: "2 batches intact, 2.00 KiB read\n" });
});

test("batch watch writes a line for each, until it is stopped", async () => {
  const stop = new AbortController();
  let ended = false;
  const api = {
    followBatches: (after?: string) => {
      const end = Promise.withResolvers<IteratorResult<never>>();
      const told = [{ cursor: `${after}+1`, batch: sampleBatch }];
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => {
            const value = told.shift();
            if (value === undefined) stop.abort();
            return value === undefined ? end.promise : Promise.resolve({ done: false, value });
          },
          return: () => {
            ended = true;
            end.resolve({ done: true, value: undefined });
            return end.promise;
          },
        }),
      };
    },
  };
  const watched = await line.run(["batch", "watch", "--after", "1.2"], {
    api,
    signal: stop.signal,
  });
  expect(watched.code).toBe(130);
  expect(JSON.parse(watched.stdout)).toEqual({ cursor: "1.2+1", batch: sampleBatch });
  expect(ended).toBe(true);
});

test("batch gc takes an age, and says what goes", async () => {
  const asked: unknown[] = [];
  const api = {
    collectBatches: (request: object) => {
      asked.push(request);
      return Promise.resolve({
        kept: 2,
        inUse: 1,
        removed: ["bafyone"],
        bytesRemoved: 2_048,
        leftovers: 0,
      });
    },
  };
  const said = await line.run(["batch", "gc", "--older-than", "7d", "--keep", "2"], { api });
  expect(said.stdout).toBe(
    "removed 1 batch, 2.00 KiB, and 0 leftovers; 2 stay, 1 of them for runs and snapshots\n",
  );
  expect(asked).toEqual([{ olderThanMs: 604_800_000, keep: 2, dryRun: false }]);
  const wrong = await line.run(["batch", "gc", "--older-than", "soon"], { api });
  expect(wrong.code).toBe(64);
});

test("index query gives Arrow to a pipe, and files to the controller", async () => {
  const asked: unknown[] = [];
  const api = {
    async *queryArrow(text: string) {
      yield await Promise.resolve(Buffer.from(`arrow of ${text}`));
    },
    exportQuery: (request: { file: string }) => {
      asked.push(request);
      return Promise.resolve({ file: request.file, rows: 2, bytes: 10 });
    },
  };
  const piped = await line.run(["index", "query", "FROM object", "-o", "arrow"], { api });
  expect(piped).toMatchObject({ code: 0, stdout: "arrow of FROM object" });
  const file = join(line.cwd, "sizes.arrow");
  const written = await line.run(["index", "query", "FROM object", "-o", "sizes.arrow"], { api });
  expect(written.stdout).toBe(`2 rows, 10 B, in ${file}\n`);
  expect(asked).toEqual([{ text: "FROM object", file }]);
});
