import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeLivelyIndex } from "../../bench/lively-index.ts";

const program = fileURLToPath(new URL("../../bench/within-limit.ts", import.meta.url));
const objects = 250_000;
/**
 * Works, and the MiB that each may take. A configuration may not ask for less than 256 MiB; with less
 * a quarter of a million objects tell what else a million would. Lists go the same way, sorted or
 * not, and hold the most when they are sorted. JSON files come within some MiB of any limit, as DuckDB does
 * not count their texts.
 */
const limits = [
  ["plan", 192],
  ["snapshot", 128],
  ["sorted-list", 160],
  ["report", 128],
  ["csv", 160],
  ["export", 192],
  ["arrow", 200],
] as const;
/** The next inventory is of the index that the first one made. */
const inventories = ["first-inventory", "next-inventory"] as const;
const copies = 150_000;
const inventoryLimit = 200;
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-memory-test-"));
  await makeLivelyIndex(join(folder, "index.duckdb"), objects);
}, 300_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** MiB above the program itself, at most, of a process that does only this. */
async function heldBy(work: string, limit: number, file = "index.duckdb"): Promise<number> {
  const args = [program, work, join(folder, file), `${limit}MiB`, String(copies)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Math.round((JSON.parse(stdout) as { held: number }).held / 2 ** 20);
}

// Only Linux says what a process held at most.
test.runIf(process.platform === "linux").each(limits)(
  "a process that does it with every object stays within its limit: %s",
  async (work, limit) => {
    const held = await heldBy(work, limit);
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThanOrEqual(limit);
  },
  300_000,
);

test.runIf(process.platform === "linux")(
  "inventories stay within the limit, the first and the next, of which some copies differ",
  async () => {
    for (const work of inventories) {
      const held = await heldBy(work, inventoryLimit, "inventory.duckdb");
      expect(held).toBeGreaterThan(0);
      expect(held).toBeLessThanOrEqual(inventoryLimit);
    }
  },
  600_000,
);
