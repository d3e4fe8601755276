import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import local from "#drivers/local/local.ts";
import { collect, fileBody, pieces, sample } from "../conformance/sample-object.ts";
import { mountSmallDisk, smallDiskMissing } from "./small-disk.ts";

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

let folder = "";
const opened: Driver[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-faults-"));
  await chmod(folder, 0o755);
});

afterEach(async () => {
  for (const driver of opened.splice(0)) await driver.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a local store on a disk that fills up", () => {
  const missing = smallDiskMissing();
  if (missing !== undefined) console.error(`skipped: local, full disk: ${missing}`);

  it.skipIf(missing !== undefined)(
    `says NO_SPACE, keeps what it has, and goes on when there is room (${missing ?? "tmpfs"})`,
    async () => {
      await using disk = await mountSmallDisk("2m");
      const { path } = disk;
      try {
        const driver = await open(path);
        const [kept, tooLarge] = [sample(500_000, 1), sample(3_000_000, 2)];
        await driver.write(kept.object, fileBody(kept));
        const writing = driver.write(tooLarge.object, fileBody(tooLarge));
        await expect(writing).rejects.toMatchObject({ code: "NO_SPACE", retryable: false });
        expect(await driver.stat(tooLarge.object)).toBeUndefined();
        expect(await readdir(join(path, "incoming"))).toEqual([]);
        expect((await driver.status()).usedBytes).toBe(500_000);
        const small = sample(700_000, 3);
        await driver.write(small.object, fileBody(small));
        for (const { object } of [kept, small]) {
          expect(await driver.verify(object, "verified")).toMatchObject({ finding: "present" });
        }
      } finally {
        for (const driver of opened.splice(0)) await driver.close();
      }
    },
  );
});

describe("a local store without the permissions it needs", () => {
  it("says FORBIDDEN to writes and UNREADABLE to reads, and never that a copy is absent", async () => {
    const path = join(folder, "store");
    const driver = await open(path);
    const [stored, other] = [sample(50_000, 1), sample(50_000, 2)];
    const copy = await driver.write(stored.object, fileBody(stored));
    await chmod(join(path, copy.locator), 0o000);
    await chmod(join(path, "incoming"), 0o500);
    await asNobody(async () => {
      const reading = driver.read(stored.object, copy).then(collect);
      await expect(reading).rejects.toMatchObject({ code: "UNREADABLE" });
      const verifying = driver.verify(stored.object, "verified");
      await expect(verifying).rejects.toMatchObject({ code: "UNREADABLE" });
      const writing = driver.write(other.object, fileBody(other));
      await expect(writing).rejects.toMatchObject({ code: "FORBIDDEN" });
    });
    await chmod(join(path, "incoming"), 0o700);
  });

  it("says so when the folder cannot be made", async () => {
    const path = join(folder, "closed");
    await mkdir(path, { mode: 0o500 });
    await asNobody(async () => {
      await expect(open(join(path, "store"))).rejects.toMatchObject({ code: "FORBIDDEN" });
    });
  });
});

describe("a local store whose process is killed", () => {
  it.each([
    ["one by one", "write-until-killed.ts"],
    ["in groups", "write-groups-until-killed.ts"],
  ])("holds every object it confirmed %s, none in part, and the exact size", async (_, script) => {
    const path = join(folder, "store");
    const confirmed: ObjectRef[] = [];
    for (const [round, killAfter] of [3, 40, 150].entries()) {
      confirmed.push(...(await writeUntilKilled(script, path, round * 10_000 + 1, killAfter)));
    }
    expect(confirmed.length).toBeGreaterThanOrEqual(3 + 40 + 150);
    const driver = await open(path);
    const listed = await Array.fromAsync(driver.list());
    const present = new Set(listed.map((entry) => entry.cid));
    expect(confirmed.filter((object) => !present.has(object.cid))).toEqual([]);
    for (const entry of listed) {
      const object = { cid: entry.cid, size: entry.copy.bytes, profile: "unixfs-v1-2025" };
      const evidence = await driver.verify(object, "verified");
      expect(evidence).toMatchObject({ finding: "present" });
    }
    const bytes = listed.reduce((total, entry) => total + entry.copy.bytes, 0);
    expect((await driver.status()).usedBytes).toBe(bytes);
  });
});

describe("a local store in a long life", () => {
  it("leaves no file open after interrupted reads and writes", async () => {
    const driver = await open(join(folder, "store"));
    const stored = sample(3_000_000);
    const copy = await driver.write(stored.object, fileBody(stored));
    const before = openFiles();
    for (let round = 0; round < 20; round++) {
      for await (const chunk of await driver.read(stored.object, copy)) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      await driver.read(stored.object, copy);
      const other = sample(200_000, round + 2);
      const stream = (async function* () {
        yield* pieces(other.bytes.subarray(0, 100_000));
        throw new Error("broken");
      })();
      const writing = driver.write(other.object, { form: "file", bytes: undefined, stream });
      await expect(writing).rejects.toThrow(/broken/);
    }
    expect(openFiles()).toBe(before);
  });
});

async function open(path: string): Promise<Driver> {
  const driver = await local.open({
    backend: "disk",
    options: local.options.parse({ path }),
    capacityBytes: undefined,
    secret: () => Promise.reject(new Error("no secret is needed")),
  });
  opened.push(driver);
  return driver;
}

/** Runs a writer, kills it after so many confirmed objects, and returns those. */
async function writeUntilKilled(
  writer: string,
  path: string,
  seed: number,
  killAfter: number,
): Promise<readonly ObjectRef[]> {
  const script = fileURLToPath(new URL(`fixtures/${writer}`, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [script, path, String(seed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (output.split("\n").length > killAfter) child.kill("SIGKILL");
  });
  const [code, signal] = (await exited) as [number | null, string | null];
  expect([code, signal]).toEqual([null, "SIGKILL"]);
  const whole = output.slice(0, output.lastIndexOf("\n"));
  return whole.split("\n").map((line) => JSON.parse(line) as ObjectRef);
}

/** Permissions do not bind root: then the work is done as a user whom they bind. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  if (!isRoot) {
    await work();
    return;
  }
  process.seteuid?.(nobody);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}
