import { existsSync } from "node:fs";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import { addressBytes } from "#content/address-file.ts";
import { profiles } from "#content/profile.ts";
import local from "#drivers/local/local.ts";

const profile = "unixfs-v1-2025";

let folder = "";
const opened: Driver[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-local-"));
});

afterEach(async () => {
  for (const driver of opened.splice(0)) await driver.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a local store", () => {
  it("keeps the plain bytes under the CID, spread over shards", async () => {
    const driver = await open();
    const [object, bytes] = sample("some bytes");
    const copy = await write(driver, object, bytes);
    expect(copy.locator).toMatch(new RegExp(`^objects/[0-9a-f]{3}/${object.cid}$`));
    expect(await readFile(join(folder, "store", copy.locator))).toEqual(Buffer.from(bytes));
  });

  it("gives out pieces that stay as they are, unless the reader has done with each", async () => {
    const driver = await open();
    const bytes = fiveChunks();
    const object = { ...addressBytes(bytes, profile), profile };
    const copy = await write(driver, object, bytes);
    const kept: Uint8Array[] = [];
    for await (const piece of await driver.read(object, copy)) kept.push(piece);
    expect(Buffer.concat(kept).equals(bytes)).toBe(true);
    const copied: Uint8Array[] = [];
    const memory = new Set<ArrayBufferLike>();
    for await (const piece of await driver.read(object, copy, { reuse: true })) {
      copied.push(Uint8Array.from(piece));
      memory.add(piece.buffer);
    }
    expect(Buffer.concat(copied).equals(bytes)).toBe(true);
    expect(memory.size).toBe(2);
  });

  it.for(profiles.map(({ name }) => name))("checks every byte of large files, %s", async (name) => {
    const driver = await open();
    const bytes = fiveChunks();
    const object = { ...addressBytes(bytes, name), profile: name };
    const { locator } = await write(driver, object, bytes);
    const check = () => driver.verify(object, "verified");
    expect(await check()).toMatchObject({ finding: "present", bytesRead: bytes.length });
    bytes[bytes.length - 70_000] = (bytes[bytes.length - 70_000] ?? 0) ^ 1;
    const path = join(folder, "store", locator);
    await rm(path);
    await writeFile(path, bytes);
    expect(await check()).toMatchObject({ finding: "corrupt" });
  });

  it("does not touch a folder that holds other things", async () => {
    await mkdir(join(folder, "store"));
    await writeFile(join(folder, "store", "thesis.tex"), "precious");
    await expect(open()).rejects.toMatchObject({ code: "REFUSED" });
    expect(await readdir(join(folder, "store"))).toEqual(["thesis.tex"]);
  });

  it("makes no new store where one is expected to be mounted", async () => {
    await expect(open({ create: false })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(existsSync(join(folder, "store"))).toBe(false);
  });

  it("refuses a layout it does not know and says so", async () => {
    await open();
    await writeFile(join(folder, "store", "thermocline-store.json"), '{"layout":99}');
    await expect(open()).rejects.toThrow(/layout 99 is unknown/);
  });

  it("calls a store that vanished unavailable, never empty", async () => {
    const driver = await open();
    const [object, bytes] = sample("still there");
    await write(driver, object, bytes);
    await rename(join(folder, "store"), join(folder, "unmounted"));
    await mkdir(join(folder, "store"));
    await expect(driver.stat(object)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(driver.verify(object, "verified")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(driver.status()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(Array.fromAsync(driver.list())).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await rm(join(folder, "store"), { recursive: true });
    await rename(join(folder, "unmounted"), join(folder, "store"));
    expect(await driver.stat(object)).toBeDefined();
  });

  it("follows no symbolic link, neither of a shard nor of a file", async () => {
    const driver = await open();
    const [object, bytes] = sample("linked");
    const { locator } = await write(driver, object, bytes);
    const path = join(folder, "store", locator);
    await rename(path, join(folder, "elsewhere"));
    await symlink(join(folder, "elsewhere"), path);
    expect(await driver.stat(object)).toBeUndefined();
    await rm(dirname(path), { recursive: true });
    await symlink(folder, dirname(path));
    const other = await open();
    await expect(other.stat(object)).rejects.toMatchObject({ code: "REFUSED" });
    await expect(write(other, object, bytes)).rejects.toMatchObject({ code: "REFUSED" });
  });

  it("takes only a CID for a name", async () => {
    const driver = await open();
    for (const cid of ["../../etc/passwd", "", "bafy/../..", "a".repeat(400)]) {
      await expect(driver.stat({ cid, size: 1, profile })).rejects.toMatchObject({ code: "USAGE" });
    }
  });

  it("counts used bytes exactly after a crash, and after other processes wrote", async () => {
    const first = await open();
    for (let number = 0; number < 50; number++) {
      const [object, bytes] = sample(`number ${number}`);
      await write(first, object, bytes);
    }
    // The first driver is never closed: what it knew is lost, as in a crash.
    const second = await open();
    const expected = await storedBytes();
    expect((await second.status()).usedBytes).toBe(expected);
    const [object, bytes] = sample("one more");
    await write(first, object, bytes);
    await second.close();
    expect((await (await open()).status()).usedBytes).toBe(expected + bytes.length);
  });

  it("recounts when its size cache is damaged", async () => {
    const driver = await open();
    const [object, bytes] = sample("counted");
    await write(driver, object, bytes);
    await driver.close();
    await writeFile(join(folder, "store", "usage.json"), '{"000":["1",-5]');
    expect((await (await open()).status()).usedBytes).toBe(bytes.length);
  });

  it.each(["opened", "asked for its state"])(
    "clears what crashes left when it is %s, but nothing young and nothing foreign",
    async (when) => {
      const driver = await open();
      const incoming = join(folder, "store", "incoming");
      const uuid = "00000000-0000-4000-8000-000000000000";
      const names = {
        old: `deadbeef.1.${uuid}.incoming`,
        young: `deadbeef.2.${uuid}.incoming`,
        foreign: "notes.txt",
      };
      const yesterday = new Date(Date.now() - 25 * 3_600_000);
      for (const name of Object.values(names)) await writeFile(join(incoming, name), "x");
      await utimes(join(incoming, names.old), yesterday, yesterday);
      await utimes(join(incoming, names.foreign), yesterday, yesterday);
      if (when === "opened") await open();
      else await driver.status();
      const left = (await readdir(incoming)).toSorted();
      expect(left).toEqual([names.young, names.foreign].toSorted());
    },
  );

  it("replaces a copy that was cut short without being told to", async () => {
    const driver = await open();
    const [object, bytes] = sample("whole again");
    const { locator } = await write(driver, object, bytes);
    await truncate(join(folder, "store", locator), 3);
    expect(await driver.verify(object, "listed")).toMatchObject({ finding: "corrupt" });
    await write(driver, object, bytes);
    expect(await driver.verify(object, "verified")).toMatchObject({ finding: "present" });
    expect((await driver.status()).usedBytes).toBe(await storedBytes());
  });

  it("ignores files that are not its own when it lists", async () => {
    const driver = await open();
    const [object, bytes] = sample("mine");
    const { locator } = await write(driver, object, bytes);
    await writeFile(join(folder, "store", dirname(locator), "README"), "not mine");
    const listed = await Array.fromAsync(driver.list());
    expect(listed.map((entry) => entry.cid)).toEqual([object.cid]);
  });
});

async function open(options: { create?: boolean } = {}): Promise<Driver> {
  const driver = await local.open({
    backend: "disk",
    options: local.options.parse({ path: join(folder, "store"), ...options }),
    capacityBytes: undefined,
    secret: () => Promise.reject(new Error("no secret is needed")),
  });
  opened.push(driver);
  return driver;
}

function sample(text: string): [ObjectRef, Uint8Array] {
  const bytes = new TextEncoder().encode(text);
  return [{ ...addressBytes(bytes, profile), profile }, bytes];
}

/** Five pieces of what is read at once, no two the same, and a bit. */
function fiveChunks(): Buffer {
  const bytes = Buffer.alloc(5 * 1024 * 1024 + 12_345);
  for (let at = 0; at < bytes.length; at += 997) bytes.writeUInt8((at / 997) & 0xff, at);
  return bytes;
}

async function write(driver: Driver, object: ObjectRef, bytes: Uint8Array) {
  const stream = (async function* () {
    yield bytes;
  })();
  return driver.write(object, { form: "file", bytes: bytes.length, stream });
}

async function storedBytes(): Promise<number> {
  const root = join(folder, "store", "objects");
  const files = await readdir(root, { recursive: true, withFileTypes: true });
  let total = 0;
  for (const file of files) {
    if (file.isFile()) total += (await readFile(join(file.parentPath, file.name))).length;
  }
  return total;
}
