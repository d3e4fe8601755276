// Times the local store against the bare work it cannot do without, in the same run:
// copying each file and hashing the copy. Prints ratios; smaller is better, 1.00 is the floor.
//   node bench/drivers.ts [small files = 5000] [MiB of the large file = 512]
import { hash, createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressFile } from "#content/address-file.ts";
import { defaultProfile } from "#content/profile.ts";
import { verifyFile } from "#content/verify-file.ts";
import local from "#drivers/local/local.ts";
import { readStoredFile } from "#drivers/local/read-file.ts";
import type { Durability } from "#drivers/local/store-folder.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";

const smallFiles = Number(process.argv[2] ?? 5_000);
const largeMebibytes = Number(process.argv[3] ?? 512);
const smallBytes = 4_096;
const inFlight = 16;

interface Source {
  readonly path: string;
  readonly object: ObjectRef;
}

const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
try {
  const small = await makeSmallFiles();
  console.log(`${smallFiles} files of ${smallBytes} bytes, write + verify, ${inFlight} at a time`);
  await warmUp(small);
  const bare = await timed(() => each(small, bareCopy(false)));
  const synced = await timed(() => each(small, bareCopy(true)));
  report("bare: copyFile, read back, sha256", small.length, bare, bare);
  report("bare, with fsync of the file", small.length, synced, synced);
  for (const [durability, base, name] of [
    ["none", bare, "bare"],
    ["file", synced, "bare with fsync"],
    ["full", synced, "bare with fsync"],
  ] as const) {
    const driver = await openStore(durability);
    const took = await timed(() => each(small, (source) => store(driver, source)));
    report(`local, durability ${durability}, against ${name}`, small.length, took, base);
    await driver.close();
  }
  const large = await makeLargeFile();
  console.log(`\none file of ${largeMebibytes} MiB, write + verify`);
  const base = await timed(() => bareCopy(true)(large));
  reportBytes("bare: copyFile, fsync, sha256", base, base);
  const driver = await openStore("full");
  const took = await timed(() => store(driver, large));
  reportBytes("local, durability full", took, base);
  await driver.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function store(driver: Driver, { path, object }: Source): Promise<void> {
  const stream = verifyFile(readStoredFile(path), object);
  await driver.write(object, { form: "file", bytes: object.size, stream });
  const evidence = await driver.verify(object, "verified");
  if (evidence.finding !== "present") throw new Error(`${object.cid}: ${evidence.method}`);
}

function bareCopy(sync: boolean): (source: Source) => Promise<void> {
  return async ({ path, object }) => {
    const copy = join(folder, "bare", object.cid);
    await copyFile(path, copy);
    if (sync) {
      const file = await open(copy, "r+");
      await file.sync();
      await file.close();
    }
    if (object.size <= smallBytes) hash("sha256", await readFile(copy));
    else {
      const hasher = createHash("sha256");
      for await (const chunk of createReadStream(copy, { highWaterMark: 1024 * 1024 })) {
        hasher.update(chunk as Buffer);
      }
    }
    await rm(copy);
  };
}

async function each(sources: readonly Source[], work: (source: Source) => Promise<void>) {
  const queue = sources.values();
  const worker = async (): Promise<void> => {
    for (const source of queue) await work(source);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

async function warmUp(sources: readonly Source[]): Promise<void> {
  await mkdir(join(folder, "bare"));
  const some = sources.slice(0, 500);
  await each(some, bareCopy(false));
  const driver = await openStore("none", "warm-up");
  await each(some, (source) => store(driver, source));
  await driver.close();
}

function openStore(durability: Durability, name: string = durability): Promise<Driver> {
  return local.open({
    backend: name,
    options: local.options.parse({ path: join(folder, name), durability }),
    capacityBytes: undefined,
    secret: () => Promise.reject(new Error("no secret is needed")),
  });
}

async function makeSmallFiles(): Promise<readonly Source[]> {
  await mkdir(join(folder, "source"));
  const sources: Source[] = [];
  const bytes = Buffer.alloc(smallBytes, "thermocline");
  for (let number = 0; number < smallFiles; number++) {
    bytes.writeUInt32LE(number);
    const path = join(folder, "source", String(number));
    await writeFile(path, bytes);
    sources.push({ path, object: await addressed(path) });
  }
  return sources;
}

async function makeLargeFile(): Promise<Source> {
  const path = join(folder, "large");
  const file = await open(path, "w");
  const mebibyte = Buffer.alloc(1024 * 1024, "thermocline");
  for (let number = 0; number < largeMebibytes; number++) {
    mebibyte.writeUInt32LE(number);
    await file.write(mebibyte);
  }
  await file.sync();
  await file.close();
  return { path, object: await addressed(path) };
}

async function addressed(path: string): Promise<ObjectRef> {
  const address = await addressFile(readStoredFile(path), defaultProfile);
  return { ...address, profile: defaultProfile };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function report(what: string, files: number, ms: number, base: number): void {
  const rate = Math.round((files / ms) * 1_000).toLocaleString("en");
  console.log(`  ${what.padEnd(52)} ${rate.padStart(7)} files/s  ${(ms / base).toFixed(2)}x`);
}

function reportBytes(what: string, ms: number, base: number): void {
  const rate = Math.round((largeMebibytes / ms) * 1_000);
  console.log(
    `  ${what.padEnd(52)} ${String(rate).padStart(7)} MiB/s    ${(ms / base).toFixed(2)}x`,
  );
}
