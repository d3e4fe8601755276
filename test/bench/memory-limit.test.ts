import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeLivelyIndex } from "../../bench/lively-index.ts";
import { works } from "../../bench/memory-works.ts";

const program = fileURLToPath(new URL("../../bench/within-limit.ts", import.meta.url));
const objects = 400_000;
/** The least that a configuration may ask for. */
const limit = 256;
/** JSON files come within some MiB of it, as DuckDB does not count their texts. */
const kept = Object.keys(works).filter((work) => work !== "json");
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-memory-test-"));
  await makeLivelyIndex(join(folder, "index.duckdb"), objects);
}, 300_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** MiB above the program itself, at most, of a process that does only this. */
async function heldBy(work: string): Promise<number> {
  const args = [program, work, join(folder, "index.duckdb"), `${limit}MiB`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Math.round((JSON.parse(stdout) as { held: number }).held / 2 ** 20);
}

// Only Linux says what a process held at most.
test.runIf(process.platform === "linux").each(kept)(
  "a process that does it with every object stays within its limit: %s",
  async (work) => {
    const held = await heldBy(work);
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThanOrEqual(limit);
  },
  300_000,
);
