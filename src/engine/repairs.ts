import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { dataPaths } from "#config/data-paths.ts";
import type { EngineContext } from "#engine/context.ts";
import type { RepairDecision } from "#index/failures/repair-log.ts";
import { planPaths, rowsAt, writePlan } from "#jobs/plan-file.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Plan } from "#model/plan.ts";
import type { Run } from "#model/run.ts";
import { buildPlan } from "#policies/plan/build-plan.ts";
import { type Restored, restorations, withMinimum } from "#policies/plan/restoration.ts";

/** Restoring what was lost goes before what policies merely want. */
const repairPriority = 100;
const objectsPerLook = 5_000;
/** More are not begun before one of them has ended: the rest waits in the index. */
const runsMax = 4;
const lookEveryMs = 2_000;

/**
 * Makes good what checks found lost: plans the objects with open repairs, and only new copies of
 * them, from the best copy left, as runs of origin `repair`; closes what has what it needs again.
 */
export class Repairs {
  readonly #context: EngineContext;
  readonly #began: (run: Run, from: Date) => Promise<void>;
  readonly #onError: (error: EngineError) => void;
  #timer: NodeJS.Timeout | undefined;
  #forgetEvents: (() => void) | undefined;
  #looking: Promise<void> | undefined;

  constructor(
    context: EngineContext,
    began: (run: Run, from: Date) => Promise<void>,
    onError: (error: EngineError) => void,
  ) {
    this.#context = context;
    this.#began = began;
    this.#onError = onError;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.look(), lookEveryMs);
    this.#forgetEvents ??= this.#context.events.on("copy-lost", () => void this.look());
    void this.look();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#forgetEvents?.();
    this.#forgetEvents = undefined;
    await this.#looking;
  }

  /** Looks at what is due; one look at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#lookNow()
      .catch((thrown: unknown) => {
        this.#onError(EngineError.from(thrown));
      })
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async #lookNow(): Promise<void> {
    const { failures } = this.#context.index;
    const now = this.#context.now();
    const due = await failures.dueRepairs(now, objectsPerLook);
    if (due.length === 0 || (await failures.repairRuns()).length >= runsMax) return;
    const { plan, restored } = await planRestoration(this.#context, due);
    const start = { origin: "repair", priority: repairPriority };
    const run = plan && (await this.#context.index.beginRun(plan, now, start));
    const told = await failures.decideRepairs(
      restored.map((object) => decide(object, run?.id)),
      now,
    );
    for (const { objectId, lost, message } of told) {
      if (!lost) continue;
      this.#onError(
        new EngineError("CORRUPT", `object ${objectId}: ${message}`, { hint: lostHint }),
      );
    }
    if (run !== undefined) await this.#began(run, now);
  }
}

const lostHint = "`thermocline repairs` names what is lost";

function decide(object: Restored, runId: string | undefined): RepairDecision {
  const { objectId } = object;
  if (object.planned && runId !== undefined) return { objectId, decision: "started", runId };
  if (object.copies === 0) {
    const message = "no intact copy is left: import it again from where it came";
    return { objectId, decision: "lost", message };
  }
  if (object.lacking !== undefined) {
    const message = `${object.lacking} lacks a copy that cannot be made now: see thermocline explain`;
    return { objectId, decision: "blocked", message };
  }
  if (object.underWay) return { objectId, decision: "waiting", message: "a copy is under way" };
  return { objectId, decision: "closed" };
}

/** What holds where nobody has written a policy yet: nothing but the minimum. */
async function policiesOrNone({ policies, moment, now }: EngineContext) {
  const at = await moment(now());
  try {
    return await policies.compileOrLastGood(at);
  } catch (thrown) {
    if (EngineError.from(thrown).code !== "NOT_FOUND") throw thrown;
    return { rules: [], digests: {}, failureLimits: [], limits: {}, approvals: [], moment: at };
  }
}

/** A plan that only adds copies, kept as any applied plan; undefined when there is none to add. */
async function planRestoration(
  context: EngineContext,
  objects: readonly number[],
): Promise<{ readonly plan: Plan | undefined; readonly restored: readonly Restored[] }> {
  const { config, index } = context;
  const { minimumCopies } = config.safety;
  const set = withMinimum(await policiesOrNone(context), minimumCopies);
  const { plans } = dataPaths(config.dataDirectory);
  await mkdir(plans, { recursive: true });
  const draft = planPaths(join(plans, `repair-${process.pid}`));
  await using session = await index.session();
  try {
    const plan = await buildPlan(set, session, {
      engine: context.version,
      indexVersion: await index.version(),
      minimumCopies,
      restore: objects,
      writeRows: rowsAt(draft.rows),
    });
    const restored = await restorations(set, session, objects);
    if (plan.header.totals.actions === 0) return { plan: undefined, restored };
    return { plan: await writePlan(plan, join(plans, plan.cid)), restored };
  } finally {
    await rm(draft.rows, { force: true });
  }
}
