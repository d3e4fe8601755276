import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, onTestFinished, test } from "vitest";
import { ObjectIndex } from "#index/object-index.ts";
import { backendFacts, copyOn, objectOf, openIndex, start, temporaryFolder } from "./open-index.ts";

/** Runs a program in a process of its own that owns the index until it is killed. */
async function owner(path: string, program: string): Promise<() => Promise<void>> {
  const source = `
    import { ObjectIndex } from "#index/object-index.ts";
    const index = await ObjectIndex.open(${JSON.stringify(path)}, { threads: 1 });
    ${program}
    console.log("ready");
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  onTestFinished(kill);
  await Promise.race([once(child.stdout, "data"), exited]);
  expect(child.exitCode).toBeNull();
  return kill;
}

test("another process that owns the index is named with the remedy, and its death frees it", async () => {
  const path = join(await temporaryFolder(), "index.duckdb");
  const kill = await owner(path, "");
  await expect(ObjectIndex.open(path)).rejects.toMatchObject({
    code: "LOCKED",
    hint: expect.stringContaining("controller"),
  });
  await kill();
  const index = await ObjectIndex.open(path);
  await index.close();
});

test("one process cannot open an index twice, and closing frees it", async () => {
  const { index, path } = await openIndex();
  await expect(ObjectIndex.open(path)).rejects.toMatchObject({ code: "LOCKED" });
  await index.close();
  await index.close();
  const again = await ObjectIndex.open(path);
  await again.close();
  await expect(again.version()).rejects.toMatchObject({ code: "CANCELLED" });
});

test("processes that open a new index at the same moment all get it, one after the other", async () => {
  const path = join(await temporaryFolder(), "index.duckdb");
  const source = `
    import { ObjectIndex } from "#index/object-index.ts";
    console.log("ready");
    process.stdin.once("data", async () => {
      let code;
      do {
        code = await ObjectIndex.open(${JSON.stringify(path)}, { threads: 1 })
          .then((index) => index.close()).then(() => "opened", (error) => error.code);
      } while (code === "LOCKED");
      if (code !== "opened") console.error(code);
      process.exitCode = code === "opened" ? 0 : 1;
      process.stdin.destroy();
    });`;
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ["--input-type=module", "-e", source], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  const ends = children.map((child) => once(child, "exit"));
  await Promise.all(children.map(({ stdout }) => once(stdout, "data")));
  for (const { stdin } of children) stdin.write("now");
  expect(await Promise.all(ends)).toEqual(children.map(() => [0, null]));
  expect(await readdir(dirname(path))).toEqual(["index.duckdb"]);
});

test("closing ends what sessions are still asking, and waits until they have let go", async () => {
  const { index } = await openIndex();
  const sessions = await Promise.all(Array.from({ length: 4 }, async () => await index.session()));
  const asking = sessions.map(async (session) => {
    for (let round = 0; ; round += 1) {
      const text = `SELECT sum(a.i % ${round + 7}) AS s FROM range(20000) a(i), range(2000) b(j)`;
      await session.rows({ text, parameters: [] });
    }
  });
  const ends = asking.map(async (asked) => await asked.catch((error: unknown) => error));
  await index.version();
  await index.close();
  for (const error of await Promise.all(ends)) expect(error).toMatchObject({ code: "CANCELLED" });
});

test("a write that comes while the index is being closed is refused, and closing folds the log", async () => {
  const { index, path } = await openIndex();
  const entered = Promise.withResolvers<undefined>();
  await index.close();
  const fence = { enter: () => entered.promise, confirm: () => Promise.resolve() };
  const fenced = await ObjectIndex.open(path, { fence });
  const writing = fenced.putObjects([objectOf(1, [])], start);
  await fenced.close();
  entered.resolve(undefined);
  await expect(writing).rejects.toMatchObject({ code: "CANCELLED" });
  expect(await readdir(dirname(path))).toEqual(["index.duckdb"]);
});

test("what was committed before a kill -9 is there afterwards, and summaries agree", async () => {
  const path = join(await temporaryFolder(), "index.duckdb");
  const facts = JSON.stringify(backendFacts("hot"));
  const objects = Array.from({ length: 300 }, (_, number) => objectOf(number, [copyOn("hot")]));
  const kill = await owner(
    path,
    `await index.syncBackends([${facts}]);
     const objects = JSON.parse(${JSON.stringify(JSON.stringify(objects))});
     for (const object of objects) for (const copy of object.copies) {
       copy.checkedAt = new Date(copy.checkedAt);
     }
     await index.putObjects(objects, new Date());
     void index.putObjects(objects.map((object) => ({ ...object, names: ["/other"] })), new Date());`,
  );
  await kill();
  const index = await ObjectIndex.open(path);
  onTestFinished(async () => {
    await index.close();
  });
  expect(await index.totals(1)).toMatchObject({ objects: 300, copies: 300, belowMinimum: 0 });
  expect(await index.checkSummaries()).toEqual([]);
  expect(await index.putObjects(objects, start)).toMatchObject({ added: 0, known: 300 });
});

test("a reader may open a closed index and every write is refused", async () => {
  const { index, path } = await openIndex();
  await index.putObjects([objectOf(1)], start);
  await index.close();
  const reader = await ObjectIndex.open(path, { readOnly: true });
  onTestFinished(async () => {
    await reader.close();
  });
  expect(await reader.findObject("/data/1.bin")).toBe(0);
  await expect(reader.putObjects([objectOf(2)], start)).rejects.toMatchObject({ code: "REFUSED" });
});

test("a damaged file and a file of something else are told apart from a lock", async () => {
  const { index, path, folder } = await openIndex();
  await index.putObjects(
    Array.from({ length: 2_000 }, (_, number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  await index.close();
  const bytes = await readFile(path);
  const file = await open(path, "r+");
  await file.write(Buffer.alloc(20_000, 7), 0, 20_000, Math.floor(bytes.length / 2));
  await file.write(Buffer.alloc(4_096, 7), 0, 4_096, 4_096);
  await file.close();
  const damaged = { code: "CORRUPT", hint: expect.stringContaining("snapshot") };
  await expect(ObjectIndex.open(path)).rejects.toMatchObject(damaged);
  const text = join(folder, "notes.txt");
  await writeFile(text, "this is no database\n".repeat(1_000));
  await expect(ObjectIndex.open(text)).rejects.toMatchObject({ code: "CORRUPT" });
  await expect(ObjectIndex.open(join(folder, "no", "such", "folder"))).rejects.toMatchObject({
    code: "UNREADABLE",
  });
});

test("an index of a newer version is refused and left as it is", async () => {
  const { index, path } = await openIndex();
  await index.close();
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run(
    "INSERT INTO schema_version VALUES (99, 'from the future', now()::TIMESTAMP)",
  );
  connection.closeSync();
  instance.closeSync();
  await expect(ObjectIndex.open(path)).rejects.toMatchObject({
    code: "NOT_SUPPORTED",
    message: expect.stringContaining("schema 99"),
  });
});

test("backends keep their ids by name, and the sixty-third is refused", async () => {
  const { index } = await openIndex(["a", "b", "c"]);
  await index.putObjects([objectOf(1, [copyOn("b")])], start);
  await index.setCordon("c", true);
  const left = await index.syncBackends([backendFacts("c"), backendFacts("d")]);
  expect(left.map(({ id, name, cordoned }) => [id, name, cordoned])).toEqual([
    [2, "c", true],
    [3, "d", false],
  ]);
  const back = await index.syncBackends([backendFacts("b")]);
  expect(back).toMatchObject([{ id: 1, usedBytes: 100, freeBytes: 2 ** 40 - 100 }]);
  await expect(index.setCordon("x", true)).rejects.toMatchObject({ code: "NOT_FOUND" });
  const many = Array.from({ length: 59 }, (_, number) => backendFacts(`more-${number}`));
  await expect(index.syncBackends(many)).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
  expect(await index.syncBackends(many.slice(0, 58))).toHaveLength(58);
  await index.putObjects([objectOf(1, [copyOn("more-57")])], start);
  expect(await index.checkSummaries()).toEqual([]);
});
