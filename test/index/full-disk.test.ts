import { mkdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Database } from "#index/database.ts";
import { DatabaseFile } from "#index/database-file.ts";
import { EngineError } from "#model/engine-error.ts";
import { mountSmallDisk, unmountSmallDisk } from "../../scripts/chaos/small-disk.ts";
import { smallDiskMissing } from "../drivers/small-disk.ts";
import { start, temporaryFolder } from "./open-index.ts";

const missing = smallDiskMissing();
const options = { readOnly: false, memoryLimit: "256MiB", threads: 1, now: start };

/** A database whose ledger gets entries, so many at a time. */
async function open(folder: string): Promise<Database> {
  const database = await Database.open(join(folder, "index.duckdb"), options);
  onTestFinished(() => database.close());
  return database;
}

async function record(database: Database, entries: number, without = false): Promise<void> {
  await database.write(async (transaction) => {
    if (without) transaction.checkpointAtCommit();
    await transaction.run(
      `INSERT INTO ledger_entries (entry_id, recorded, kind, reason)
       SELECT (SELECT next_entry FROM counters) + i, TIMESTAMP '2026-01-01', 'control',
         md5(random()::VARCHAR) || md5(random()::VARCHAR)
       FROM range($1) AS r (i)`,
      [entries],
    );
    transaction.takeIds("entry", entries);
  });
}

async function recorded(database: Database): Promise<number> {
  const count = "SELECT count(*)::INTEGER AS n FROM ledger_entries";
  return (await database.read((connection) => connection.row<{ n: number }>(count))).n;
}

/** Has DuckDB give the file up at its next checkpoint. */
async function breakCheckpoint(database: Database): Promise<void> {
  await database.write(async (transaction) => {
    await transaction.run("SET GLOBAL debug_checkpoint_abort = 'before_header'");
  });
}

test("after a checkpoint that failed, which ends the database for DuckDB, reads and writes go on", async () => {
  const database = await open(await temporaryFolder());
  await record(database, 1_000);
  const reader = await database.connect();
  await breakCheckpoint(database);
  await expect(database.checkpoint()).rejects.toThrow(/FATAL Error/);
  // Whoever read at that moment is told, and nobody else.
  await expect(reader.row("SELECT count(*) FROM ledger_entries")).rejects.toThrow(EngineError);
  const reads = await Promise.all([1, 2, 3].map(() => recorded(database)));
  expect(reads).toEqual([1_000, 1_000, 1_000]);
  await record(database, 1_000);
  await database.checkpoint();
  await breakCheckpoint(database);
  // The same at a commit that goes past the log: it is undone.
  await expect(record(database, 1_000, true)).rejects.toThrow(/FATAL Error/);
  await record(database, 10, true);
  expect(await recorded(database)).toBe(2_010);
});

test("a file that is given up stays so while somebody is in the middle of a result", async () => {
  const path = join(await temporaryFolder(), "index.duckdb");
  const file = await DatabaseFile.open(path, options);
  await file.writer.run(
    "CREATE TABLE many AS SELECT i, md5(i::VARCHAR) FROM range(500000) AS r (i)",
  );
  await file.writer.run("CHECKPOINT");
  const reader = await file.connect();
  const columns = reader.columns({ text: "FROM many", parameters: [] });
  await columns.next();
  await expect(file.giveUp(500)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await columns.return(undefined).catch(() => undefined);
  await file.giveUp();
  const again = await DatabaseFile.open(path, options);
  await again.giveUp();
});

test("an index that is closed where a checkpoint fails has lost nothing", async () => {
  const folder = await temporaryFolder();
  const database = await open(folder);
  await record(database, 1_000);
  await breakCheckpoint(database);
  await database.close().catch(() => undefined);
  const again = await open(folder);
  expect(await recorded(again)).toBe(1_000);
});

test.skipIf(missing !== undefined)(
  `on a full disk every write is refused with its reason, reads go on, and writes do when there is room (${missing ?? "tmpfs"})`,
  { timeout: 120_000 },
  async () => {
    const disk = join(await temporaryFolder(), "disk");
    await mkdir(disk);
    expect(mountSmallDisk(disk, 24 * 2 ** 20)).toBe(true);
    const database = await Database.open(join(disk, "index.duckdb"), options);
    try {
      await record(database, 20_000);
      await database.checkpoint();
      const filler = join(disk, "filler");
      const { bavail, bsize } = await statfs(disk);
      await writeFile(filler, Buffer.alloc(bavail * bsize - 700_000));
      await record(database, 2_000);
      const refused = { code: "NO_SPACE", hint: expect.stringContaining("free space") as string };
      // There is room for the log, and none for what it is folded into.
      await expect(database.checkpoint()).rejects.toMatchObject(refused);
      await expect(record(database, 20_000)).rejects.toMatchObject(refused);
      await expect(record(database, 20_000, true)).rejects.toMatchObject(refused);
      expect(await recorded(database)).toBe(22_000);
      await rm(filler);
      await record(database, 20_000, true);
      await record(database, 1);
      await database.checkpoint();
      expect(await recorded(database)).toBe(42_001);
    } finally {
      await database.close();
      unmountSmallDisk(disk);
    }
  },
);

test.skipIf(missing !== undefined)(
  `what was committed before the disk was full is there after a close that finds no room (${missing ?? "tmpfs"})`,
  { timeout: 120_000 },
  async () => {
    const disk = join(await temporaryFolder(), "disk");
    await mkdir(disk);
    expect(mountSmallDisk(disk, 24 * 2 ** 20)).toBe(true);
    try {
      const database = await Database.open(join(disk, "index.duckdb"), options);
      await record(database, 20_000);
      await database.checkpoint();
      const { bavail, bsize } = await statfs(disk);
      await writeFile(join(disk, "filler"), Buffer.alloc(bavail * bsize - 700_000));
      await record(database, 2_000);
      // Not an error: the write that it follows was not undone.
      await database.close();
      const again = await Database.open(join(disk, "index.duckdb"), options);
      expect(await recorded(again)).toBe(22_000);
      await again.close();
    } finally {
      unmountSmallDisk(disk);
    }
  },
);
