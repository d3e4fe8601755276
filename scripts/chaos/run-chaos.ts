import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "#model/engine-error.ts";
import { seededRandom } from "../seeded-random.ts";
import type { ChaosReport, Violation } from "./chaos-report.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkStores } from "./check-stores.ts";
import {
  awaitEmptyQueues,
  type Gauges,
  newGauges,
  queuedJobsBound,
  watchGauges,
} from "./gauges.ts";
import { injectFaults } from "./inject-faults.ts";
import type { QueueKind } from "./queue-place.ts";
import { settle } from "./settle.ts";
import { Stage } from "./stage.ts";
import { runWorkload, type WorkloadCounts } from "./workload.ts";

export interface ChaosOptions {
  readonly queue: QueueKind;
  readonly minutes: number;
  readonly seed: number;
  /** Keeps the workspace although nothing is wrong. */
  readonly keep?: boolean;
  /** Hears how it goes: every ten seconds, in a long run every minute. */
  readonly progress: (line: string) => void;
}

const progressEveryMs = 10_000;
const longRunMinutes = 10;
/** Faults hold work up for a minute or two; when nothing ends for so long, something is stuck. */
const standstillMaxMs = 10 * 60_000;
const examplesMax = 5;

/** Lets faults loose on real processes at work, heals them, and checks what must always hold. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const stage = await Stage.open(options.queue);
  let isWell = false;
  try {
    const report = await chaosOn(stage, options);
    isWell = report.violations.length === 0;
    return report;
  } catch (thrown) {
    const { message } = EngineError.from(thrown);
    throw new Error(`chaos could not be ended: ${message}; look at ${stage.path}`, {
      cause: thrown,
    });
  } finally {
    await stage.close(options.keep === true || !isWell);
  }
}

async function chaosOn(stage: Stage, options: ChaosOptions): Promise<ChaosReport> {
  const { minutes, seed, queue, progress } = options;
  const [working, watching] = [new AbortController(), new AbortController()];
  const gauges = newGauges();
  const watch = watchGauges(stage, gauges, watching.signal);
  const workload = runWorkload(stage, seededRandom(seed + 1), working.signal);
  const faults = injectFaults(stage, seed, working.signal);
  const until = Date.now() + minutes * 60_000;
  const everyMs = minutes > longRunMinutes ? 60_000 : progressEveryMs;
  while (Date.now() < until) {
    await sleep(Math.min(everyMs, until - Date.now()));
    progress(progressLine(stage, gauges, until));
  }
  working.abort();
  const [work] = await Promise.all([workload, faults]);
  const settlement = await settle(stage, progress);
  watching.abort();
  await watch;
  const [ledger, { problems, ...stores }] = [await checkLedger(stage), await checkStores(stage)];
  const queuedJobsAtEnd = await awaitEmptyQueues(stage);
  const terms = await stage.terms();
  await stage.dismissNodes();
  const violations = [
    violation("objects lost", stores.lost, problems),
    violation("objects below minimum", stores.below, problems),
    violation("files whose import was confirmed and forgotten", stores.forgotten),
    violation("copies that are promised and missing or corrupt", stores.missing, problems),
    violation("removals without proof", ledger.unproven),
    violation("copies gone without a reason", ledger.unexplained),
    violation("actions without exactly one outcome", ledger.withoutOutcome),
    violation("permits that never ended", ledger.openPermits),
    violation("starts of a schedule at one time", ledger.startedTwice),
    violation("jobs left in the queue", queuedJobsAtEnd ?? 0),
    violation(
      "jobs queued over the bound",
      Math.max(0, gauges.queuedJobs - queuedJobsBound(stage)),
    ),
    violation("seconds in which no action ended", standstill(gauges)),
    violation("troubles on the way", stage.troubles),
  ].filter(({ count }) => count > 0);
  return {
    queue,
    seed,
    minutes,
    violations,
    ledger,
    stores,
    settlement,
    faults: Object.fromEntries(stage.faults.counts),
    refusedStarts: stage.nodes.reduce((sum, node) => sum + node.refusedStarts, 0),
    terms,
    takenOver: stage.nodes.reduce((sum, node) => sum + node.takenOver, 0),
    copiesDestroyed: stage.faults.destroyed.size,
    ...workFacts(work),
    ...gaugeFacts(gauges),
    queuedJobsBound: queuedJobsBound(stage),
    queuedJobsAtEnd,
    workspace: options.keep === true || violations.length > 0 ? stage.path : undefined,
  };
}

function workFacts({ refused, ...work }: WorkloadCounts) {
  return { work, refused: Object.fromEntries(refused) };
}

function standstill({ standstillMs }: Gauges): number {
  return standstillMs > standstillMaxMs ? Math.round(standstillMs / 1000) : 0;
}

function gaugeFacts({ queuedJobs, memoryMib, standstillMs }: Gauges) {
  const memoryMibMax = Object.fromEntries(memoryMib);
  return { queuedJobsMax: queuedJobs, memoryMibMax, standstillMs };
}

function violation(what: string, found: readonly string[] | number, problems = ""): Violation {
  const lines = typeof found === "number" ? problems.split("\n") : found;
  const count = typeof found === "number" ? found : found.length;
  return { what, count, examples: lines.filter((line) => line !== "").slice(0, examplesMax) };
}

function progressLine(stage: Stage, gauges: Gauges, until: number): string {
  const leftS = Math.round(Math.max(0, until - Date.now()) / 1000);
  const faults = [...stage.faults.counts].map(([kind, count]) => `${kind} ${count}`).join(", ");
  const memory = [...gauges.memoryMib.values()].map(String).join("/");
  const last = stage.troubles.at(-1);
  const troubles = `troubles ${stage.troubles.length}${last === undefined ? "" : `: ${last}`}`;
  return (
    `${stage.queue.kind}: ${leftS} s left; ${gauges.actions} actions, ${stage.imports.size} ` +
    `files; most memory ${memory} MiB; ${faults}; ${troubles}`
  );
}
