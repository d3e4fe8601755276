import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { IncomingFile } from "#drivers/local/incoming-file.ts";
import { incomingName, removeLeftovers } from "#drivers/local/leftovers.ts";
import local from "#drivers/local/local.ts";
import { fileBody, sample } from "../conformance/sample-object.ts";
import { mountSmallDisk, smallDiskMissing } from "./small-disk.ts";

const mebibyte = 1024 * 1024;
const begun = Buffer.alloc(9 * mebibyte, "begun");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thermocline-leftovers-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

it("an earlier life of this process number is over: what it left is gone on with", async () => {
  const earlier = await writeBeginning();
  // The same number in the same container, which another process had before.
  const [host, space, pid, , ...rest] = basename(earlier.path).split(".");
  expect(Number(pid)).toBe(process.pid);
  renameSync(earlier.path, join(folder, [host, space, pid, "1", ...rest].join(".")));
  const later = new IncomingFile(folder, "thing");
  expect([later.left, later.here]).toEqual([begun.length, begun.length]);
  later.discard();
  earlier.close();
});

it("a file of a process that lives is left alone, however quiet it is", async () => {
  const running = await writeBeginning();
  age(running.path, 3_600_000);
  const other = new IncomingFile(folder, "thing");
  expect(other.left).toBe(0);
  other.discard();
  expect(existsSync(running.path)).toBe(true);
  running.discard();
});

it("a writer in another container never writes into what is stored", async () => {
  const first = await writeBeginning();
  const elsewhere = elsewhereName(first.path);
  renameSync(first.path, elsewhere);
  const tooSoon = new IncomingFile(folder, "thing");
  expect(tooSoon.left).toBe(0);
  tooSoon.discard();

  age(elsewhere, 61_000);
  const second = new IncomingFile(folder, "thing");
  expect([second.left, second.here, second.leftPath]).toEqual([begun.length, 0, elsewhere]);
  await second.write(begun);
  await second.write(Buffer.from("rest"));
  const stored = join(folder, "stored");
  second.close();
  second.publish(stored);
  second.discard();
  await first.write(Buffer.from("too late"));
  expect(readFileSync(stored).equals(Buffer.concat([begun, Buffer.from("rest")]))).toBe(true);
  expect(() => first.publish(stored)).toThrow("ENOENT");
  first.discard();
  expect(readdirSync(folder)).toEqual(["stored"]);
});

it("what is gone on with is in use, though it is almost a day old", async () => {
  const earlier = await writeBeginning();
  earlier.keep();
  const [kept = ""] = readdirSync(folder);
  age(join(folder, kept), 24 * 3_600_000 - 1_000);
  const later = new IncomingFile(folder, "thing");
  expect(later.left).toBe(begun.length);
  removeLeftovers(folder, Date.now() + 60_000);
  expect(existsSync(later.path)).toBe(true);
  later.discard();
});

it("what is left takes a twentieth of the disk, and the newest stays", () => {
  const { blocks, bsize } = statfsSync(folder);
  const bytes = Math.floor(blocks * bsize * 0.04);
  const paths = [3, 2, 1].map((hours) => {
    const path = join(folder, incomingName(`thing${hours}`, "left"));
    closeSync(openSync(path, "w"));
    truncateSync(path, bytes);
    age(path, hours * 3_600_000);
    return path;
  });
  expect(removeLeftovers(folder, Date.now())).toBe(bytes);
  expect(paths.map((path) => existsSync(path))).toEqual([false, false, true]);
});

const missing = smallDiskMissing();
if (missing !== undefined) console.error(`skipped: room for what is left: ${missing}`);

it.skipIf(missing !== undefined)(
  "what is left gives way, the oldest first, before a disk is called full",
  async () => {
    await using disk = await mountSmallDisk("64m");
    const incoming = join(disk.path, "store", "incoming");
    const driver = await local.open({
      backend: "small",
      options: local.options.parse({ path: join(disk.path, "store"), durability: "none" }),
      capacityBytes: undefined,
      secret: () => Promise.reject(new Error("no secrets here")),
    });
    const leave = (title: string, hours: number): void => {
      mkdirSync(incoming, { recursive: true });
      const path = join(incoming, incomingName(title, "left"));
      const file = openSync(path, "w");
      for (let done = 0; done < 25; done += 1) writeSync(file, Buffer.alloc(mebibyte, 1));
      closeSync(file);
      age(path, hours * 3_600_000);
    };
    const names = () => readdirSync(incoming).map((name) => name.split(".").at(-2));
    leave("older", 2);
    leave("newer", 1);
    // The disk is asked before the first byte.
    const large = sample(20 * mebibyte, 5);
    await driver.write(large.object, fileBody(large));
    expect(names()).toEqual(["newer"]);
    // Smaller ones find it full while they are written.
    const fill = openSync(join(disk.path, "other"), "w");
    for (let done = 0; done < 15; done += 1) writeSync(fill, Buffer.alloc(mebibyte, 1));
    closeSync(fill);
    const small = sample(10 * mebibyte, 6);
    await driver.write(small.object, fileBody(small));
    expect(names()).toEqual([]);
    for (const { object } of [large, small]) {
      expect(await driver.verify(object, "verified")).toMatchObject({ finding: "present" });
    }
    await driver.close();
  },
);

async function writeBeginning(): Promise<IncomingFile> {
  const file = new IncomingFile(folder, "thing");
  await file.write(begun);
  expect(statSync(file.path).size).toBe(begun.length);
  return file;
}

/** The same file as a process in another space of process numbers names it. */
function elsewhereName(path: string): string {
  const [host, , ...rest] = basename(path).split(".");
  return join(folder, [host, "f".repeat(16), ...rest].join("."));
}

function age(path: string, ms: number): void {
  const then = new Date(Date.now() - ms);
  utimesSync(path, then, then);
}
