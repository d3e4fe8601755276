import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "#api/client.ts";
import { EngineError, type ErrorCode } from "#model/engine-error.ts";
import { integerBetween, pickOne } from "../seeded-random.ts";
import { giveUpWaiting } from "./give-up-waiting.ts";
import type { Stage } from "./stage.ts";

/** Each duty rests so long between two turns. */
const restMs = 1_000;
/** More runs than this at a time would only wait for each other. */
const openRunsMax = 4;
/** A run that waits for so long may wait for room, which the next plan makes. */
const patienceMs = 30_000;
const openRunsAtMost = 12;
/** From here on only scratch comes in, which the policy deletes again: disks stay bounded. */
const livingMax = 2_500;
const readPathsMax = 400;
const largeBytes = 24 * 1024 * 1024;

/** What was asked of the engine, and how it answered. */
export interface WorkloadCounts {
  imports: number;
  files: number;
  problems: number;
  bytesImported: number;
  reads: number;
  applied: number;
  verifies: number;
  /** Runs that waited for room in vain and were cancelled. */
  givenUp: number;
  /** Answers by error code: a stage in chaos refuses and fails, but in known ways. */
  readonly refused: Map<ErrorCode, number>;
}

/**
 * Keeps work in flight: new files, reads that make objects hot, plans that are applied, checks
 * of what is stored. An engine in trouble may refuse; a defect (INTERNAL) is a trouble.
 */
export async function runWorkload(
  stage: Stage,
  random: () => number,
  signal: AbortSignal,
): Promise<WorkloadCounts> {
  const counts: WorkloadCounts = {
    imports: 0,
    files: 0,
    problems: 0,
    bytesImported: 0,
    reads: 0,
    applied: 0,
    verifies: 0,
    givenUp: 0,
    refused: new Map(),
  };
  const perform = async (duty: Duty): Promise<void> => {
    while (!signal.aborted) {
      try {
        await duty(stage, random, counts);
      } catch (thrown) {
        const error = EngineError.from(thrown);
        counts.refused.set(error.code, (counts.refused.get(error.code) ?? 0) + 1);
        if (error.code === "INTERNAL") stage.troubles.push(`${duty.name}: ${error.message}`);
      }
      await sleep(restMs, undefined, { signal }).catch(() => undefined);
    }
  };
  await Promise.all([importFiles, readObjects, applyPlan, verifySome].map(perform));
  return counts;
}

type Duty = (stage: Stage, random: () => number, counts: WorkloadCounts) => Promise<void>;

const importFiles: Duty = async (stage, random, counts) => {
  const api = await stage.api();
  const isScratch = random() < 0.25 || (await countLiving(api)) > livingMax;
  const name = `in-${randomUUID().slice(0, 8)}`;
  const source = join(stage.path, name);
  await mkdir(source);
  const files = new Map<string, Buffer>();
  for (let left = integerBetween(random, 5, 40); left > 0; left -= 1) {
    files.set(`/${name}/${left}.bin`, randomBytes(random, `${name} ${left}`));
  }
  try {
    for (const [path, bytes] of files) await writeFile(join(stage.path, path), bytes);
    const backend = random() < 0.8 ? "hot" : (pickOne(random, stage.backends) ?? "hot");
    const tags = isScratch ? { tags: ["scratch"] } : {};
    for await (const step of api.importDirectory({ path: source, backend, ...tags })) {
      if (step.type !== "summary") continue;
      counts.imports += 1;
      counts.files += step.files;
      counts.problems += step.problems;
      if (step.problems === 0 && step.files === files.size) stage.imports.confirm(files, isScratch);
      counts.bytesImported += step.bytes;
    }
  } finally {
    await rm(source, { recursive: true, force: true });
  }
};

/** Mostly small, sometimes some mebibytes, rarely large enough to be cut off on the way. */
function randomBytes(random: () => number, label: string): Buffer {
  const dice = random();
  const largest = dice < 0.01 ? largeBytes : dice < 0.08 ? largeBytes / 8 : 48 * 1024;
  const bytes = Buffer.alloc(integerBetween(random, 32, largest));
  for (let at = 0; at < bytes.length; at += 997) bytes[at] = Math.floor(random() * 256);
  // No two files are alike: what is said of one is said of no other.
  bytes.write(label);
  return bytes;
}

async function countLiving(api: ApiClient): Promise<number> {
  const text = "SELECT count(*)::INTEGER AS n FROM object WHERE present_mask <> 0";
  for await (const { rows } of api.query(text)) return Number(rows[0]?.["n"]);
  return 0;
}

const readObjects: Duty = async (stage, random, counts) => {
  const api = await stage.api();
  const share = 1 / integerBetween(random, 8, 40);
  const objects = (await Array.fromAsync(api.objects({ limit: 5_000 }))).flat();
  const at = new Date().toISOString();
  const lines = objects
    .filter((object) => object.path !== undefined && random() < share)
    .slice(0, readPathsMax)
    .map(({ path }) => JSON.stringify({ path, at }));
  const twice = [...lines, ...lines];
  const report = await api.importAccesses(randomUUID(), linesOf(twice));
  counts.reads += report.applied;
};

const applyPlan: Duty = async (stage, _random, counts) => {
  const api = await stage.api();
  counts.givenUp += await giveUpWaiting(api);
  const open = (await api.runs()).filter((run) => run.endedAt === undefined);
  const young = open.filter((run) => Date.now() - Date.parse(run.createdAt) < patienceMs);
  if (young.length >= openRunsMax || open.length >= openRunsAtMost) return;
  const { plan } = await api.plan({});
  if (plan.header.totals.actions === 0) return;
  await api.apply({ override: ["objects", "deletes", "capacity"] });
  counts.applied += 1;
};

const verifySome: Duty = async (stage, random, counts) => {
  const api = await stage.api();
  const backend = pickOne(random, stage.backends) ?? "hot";
  const where = `size < ${integerBetween(random, 1, 8)}KiB`;
  for await (const step of api.verify({ backend, where })) {
    if (step.type === "summary") counts.verifies += step.copies;
  }
};

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}
