import type { Run } from "#model/run.ts";
import { Cluster, type ClusterParts } from "./cluster.ts";
import { endProblems } from "./end-problems.ts";
import { Faults, type FaultKind, lateMaxMs } from "./faults.ts";
import { Happenings } from "./happenings.ts";
import { ModelQueueStore } from "./model-queue-store.ts";
import { ModelIndex } from "./model-index.ts";
import type { IndexFacts, SimulatedIndex } from "./simulated-index.ts";
import { type Seams, withDefects } from "./mutants.ts";
import { planUntilRest } from "./plan-until-rest.ts";
import { Promises } from "./promises.ts";
import { Random } from "./random.ts";
import { openRealIndex } from "./real-index.ts";
import { Restraints } from "./restraints.ts";
import { Scheduler } from "./scheduler.ts";
import { type ThemeName, themes } from "./themes.ts";
import { virtualTime } from "./virtual-time.ts";
import { backendFacts, drawSetup, knownObjects, placeCopies, type Setup } from "./world.ts";

export interface ScheduleOptions {
  readonly seed: number;
  readonly without?: ReadonlySet<FaultKind>;
  /** Missing: everything. */
  readonly theme?: ThemeName;
  readonly trace?: boolean;
  /** `model` is fast; `real` is the index itself, in memory. */
  readonly index?: "model" | "real";
  /** As schedules were when the first seeds were found: with fewer kinds of fault. */
  readonly plain?: boolean;
  /** A deliberate defect, only with the model of the index. */
  readonly defect?: Seams;
}

/** What became of one schedule. */
export interface ScheduleResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly enabled: readonly FaultKind[];
  readonly trace: readonly string[];
  readonly events: number;
  readonly virtualMs: number;
  readonly removals: number;
  /** What the index says at the end. */
  readonly facts: IndexFacts;
}

/**
 * After everything that goes wrong is over, something must come of the open runs within so much
 * virtual time, again and again: an action ends, or a batch gets another flow. How long they take
 * together says little: where the calls of a schedule are so slow that permits run out on their
 * way, each batch goes through all the flows it may have before it is given up.
 */
const progressWithinMs = 45 * 60_000;
/** Flows are counted (src/jobs/repair-flows.ts), so that this is out of reach. */
const endWithinMs = 24 * 60 * 60_000;
const lookEveryMs = 5_000;
/** More than any schedule has. */
const batchesMax = 1_000;

/** Runs one schedule, the same for the same seed, and says which promises were broken. */
export async function runSchedule(options: ScheduleOptions): Promise<ScheduleResult> {
  const random = new Random(options.seed);
  const theme = themes[options.theme ?? "everything"];
  const more = options.plain === true ? undefined : new Random(options.seed ^ 0x5eed);
  const faults = new Faults(random.fork(), options.without ?? new Set(), theme, more);
  const setup = setupOf(options, drawSetup(random.fork(), faults, theme, more));
  const trace: string[] = [];
  const scheduler = new Scheduler(
    random.fork(),
    setup.latencyMs,
    options.trace ? trace : undefined,
  );
  const backends = placeCopies(setup, () => scheduler.now);
  const promises = new Promises(scheduler, backends, setup, faults);
  const queue = new ModelQueueStore(scheduler, random.fork(), {
    callFault: () => faults.ofQueue(),
    reorders: () => faults.strikes("reordering", 5),
    ...(options.defect?.queueTime && { time: options.defect.queueTime }),
    job: (job) => withDefects(job, options.defect?.job?.(job) ?? {}),
  });
  const chance = random.fork();
  using _time = virtualTime(scheduler, () => chance.next());
  const index = await openIndex(options, setup);
  let facts: IndexFacts;
  try {
    await index.putObjects(knownObjects(setup), new Date());
    const parts: ClusterParts = {
      theme,
      setup,
      scheduler,
      random: random.fork(),
      faults,
      queue,
      index,
      backends,
      promises,
      defect: options.defect ?? {},
      policyHolds: new Set(),
      policyPromises: promises.byPolicy,
      restraints: new Restraints(() => scheduler.now, setup.denied),
      more: more?.fork(),
    };
    const cluster = new Cluster(parts);
    await cluster.start();
    const happenings = new Happenings(parts, cluster);
    happenings.plan();
    const broken = () => promises.violations.length > 0;
    const lastAt = setup.calmAtMs + endWithinMs;
    let [progress, progressAt] = ["", setup.calmAtMs];
    const isMoving = () => scheduler.now < Math.min(lastAt, progressAt + progressWithinMs);
    for (let open = true; open && !broken() && isMoving();) {
      const next = scheduler.now + lookEveryMs;
      await scheduler.run(faults.over ? next : Math.min(next, setup.calmAtMs), broken);
      if (scheduler.now >= setup.calmAtMs) cluster.calm();
      const runs = await index.runs();
      open = happenings.runsToCome > 0 || runs.some((run) => run.endedAt === undefined);
      const state = await progressOf(index, runs);
      if (state === progress) continue;
      [progress, progressAt] = [state, Math.max(progressAt, scheduler.now)];
    }
    // Calls that were given up may still have their effect.
    cluster.calm();
    await scheduler.run(scheduler.now + lateMaxMs, broken);
    await planUntilRest(parts);
    if (promises.violations.length === 0) {
      promises.violations.push(...(await endProblems(parts)));
    }
    facts = await index.facts();
  } finally {
    await index.close();
  }
  return {
    seed: options.seed,
    violations: promises.violations,
    faults: faults.counts,
    enabled: [...faults.enabled],
    trace,
    events: scheduler.events,
    virtualMs: scheduler.now,
    removals: promises.removals.length,
    facts,
  };
}

/** Something else whenever an action ended or a batch began another flow. */
async function progressOf(index: SimulatedIndex, runs: readonly Run[]): Promise<string> {
  const open = runs.filter((run) => run.endedAt === undefined);
  const states = open.map(async ({ id, progress: { remaining } }) => {
    const queued = await index.queuedBatches(id, -1, batchesMax);
    return [id, remaining, ...queued.map(({ number, attempt }) => `${number}/${attempt}`)];
  });
  return JSON.stringify(await Promise.all(states));
}

/** The real index finds out by itself which backends are one storage; nobody tells it. */
function setupOf({ index }: ScheduleOptions, drawn: Setup): Setup {
  if (index !== "real") return drawn;
  const { sameStorage: _same, ...setup } = drawn;
  return setup;
}

async function openIndex(
  { index, defect }: ScheduleOptions,
  setup: Setup,
): Promise<SimulatedIndex> {
  if (index === "real") return openRealIndex(backendFacts(setup));
  const [one = -1, other = -1] = (setup.sameStorage ?? []).map((name) =>
    setup.backends.indexOf(name),
  );
  const same = new Map([
    [one, new Set([other])],
    [other, new Set([one])],
  ]);
  const model = new ModelIndex(setup.backends, defect?.judged, one < 0 ? undefined : same);
  return withDefects(model, defect?.index?.(model) ?? {});
}
