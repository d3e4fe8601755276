import type { EngineContext } from "#engine/context.ts";
import type { Execution } from "#engine/execution.ts";
import { filterOf } from "#engine/objects.ts";
import { readTime } from "#engine/read-time.ts";
import { findRun } from "#engine/runs.ts";
import { actAs, acting } from "#model/acting.ts";
import type {
  ActiveStep,
  AffectedWork,
  ControlReport,
  ControlRequest,
  ControlTarget,
  HoldReport,
  HoldRequest,
} from "#model/control.ts";
import { laneNames } from "#engine/outside-port.ts";
import { EngineError } from "#model/engine-error.ts";
import { nameHint } from "#model/name-hint.ts";
import { parseDuration } from "#model/quantity.ts";
import { toStatement } from "#policies/sql-fragment.ts";
import { unknownBackend } from "#model/unknown-backend.ts";

/** Carries out an order about work under way, and says what it is about. */
export async function control(
  context: EngineContext,
  execution: Execution,
  request: ControlRequest,
): Promise<ControlReport> {
  const { index, now } = context;
  const target = await checkedTarget(context, request);
  const order = orderOf(request, now());
  const work = await affected(context, request, target);
  // What is broken elsewhere, such as the file of a calendar, stops no order.
  const notice = await noticeOf(context, request, work).catch(() => undefined);
  let cancelled = 0;
  if (request.dryRun !== true) {
    cancelled = await actAs(order, () => carryOut(context, request, target, order));
    await execution.admission.refresh(now());
    execution.wake();
    if (request.verb === "resume") await promote(context, execution);
  }
  const inFlight = await stepsInFlight(context, execution);
  const pauses = await index.controls.pauses();
  return { work, cancelled, inFlight, pauses, ...(notice === undefined ? {} : { notice }) };
}

/**
 * Policies and nodes come and go, so that an order may be given before they are there; who
 * mistyped a name in an emergency must hear that nothing has it.
 */
async function noticeOf(
  { index, timings, nodes, now }: EngineContext,
  { verb, scope, name }: ControlRequest,
  { runs }: AffectedWork,
): Promise<string | undefined> {
  if ((scope !== "policy" && scope !== "node") || runs > 0) return undefined;
  const known =
    scope === "node"
      ? nodes.list(now()).map((node) => node.name)
      : [...((await timings.timings())?.keys() ?? [name])];
  if (known.includes(name)) return undefined;
  const isPaused = (pause: ControlTarget) => pause.scope === scope && pause.name === name;
  if (verb !== "pause" && (await index.controls.pauses()).some(isPaused)) return undefined;
  const what = scope === "node" ? "nodes" : "policies";
  const hint = nameHint(name, known.toSorted(), what);
  const stands = verb === "pause" ? ", and the pause is for one that is to come" : "";
  return `there is no ${scope} "${name}" now${stands}: ${hint}`;
}

/** What the order is about, as it is before it is carried out. */
async function affected(
  context: EngineContext,
  { where }: ControlRequest,
  target: ControlTarget,
): Promise<AffectedWork> {
  const { controls } = context.index;
  if (where === undefined) return controls.affected(target);
  return controls.pendingAbout(target, toStatement(await filterOf(context, where)));
}

/** Says how many actions were cancelled by expression. */
async function carryOut(
  context: EngineContext,
  { verb, where }: ControlRequest,
  target: ControlTarget,
  order: ReturnType<typeof orderOf>,
): Promise<number> {
  const { controls } = context.index;
  const now = context.now();
  if (verb === "pause") await controls.pause(target, order, now);
  else if (verb === "resume") {
    await controls.resume(target, order, now);
    // Who says that a policy may go on means it, whatever stopped it.
    if (target.scope === "policy") await endSuspension(context, target.name, order.reason);
  } else if (where === undefined) await controls.cancel(target, order, now);
  else {
    const statement = toStatement(await filterOf(context, where));
    return controls.cancelObjects(target, statement, order, now);
  }
  return 0;
}

async function endSuspension({ index, now }: EngineContext, policy: string, reason: string) {
  await index.failures.releaseSuspension(policy, reason || "resumed", now());
}

/** Holds or releases every object that an expression selects. */
export async function holdObjects(
  context: EngineContext,
  { where, held, reason, dryRun }: HoldRequest,
): Promise<HoldReport> {
  const { controls } = context.index;
  const statement = toStatement(await filterOf(context, where));
  const counts = await controls.countObjects(statement);
  if (dryRun === true) return { ...counts, changed: 0 };
  const by = { actor: acting()?.actor ?? "api", reason };
  const changed = await actAs(by, () =>
    controls.holdObjects(statement, held, reason, context.now()),
  );
  return { ...counts, changed };
}

/** What workers hold now; nothing when the queue cannot be asked. */
async function stepsInFlight(
  { config, pool }: EngineContext,
  execution: Execution,
): Promise<readonly ActiveStep[]> {
  const runtime = await execution.runtime();
  return (await runtime?.queue.inFlight(laneNames(config, pool.names)).catch(() => [])) ?? [];
}

async function promote({ config, pool }: EngineContext, execution: Execution): Promise<void> {
  const runtime = await execution.runtime();
  // They look again by themselves after a while.
  await runtime?.queue.promote(laneNames(config, pool.names)).catch(() => undefined);
}

function orderOf({ reason, until }: ControlRequest, now: Date) {
  const actor = acting()?.actor ?? "api";
  return { reason, actor, ...(until === undefined ? {} : { until: readUntil(until, now) }) };
}

/** `2h` from now, or a moment. */
function readUntil(text: string, now: Date): Date {
  const isDuration = /^\s*\d+(\.\d+)?\s*[a-z]/i.test(text) && !/^\d{4}-/.test(text);
  const until = isDuration ? new Date(now.getTime() + parseDuration(text)) : readTime(text);
  if (until > now) return until;
  throw new EngineError("USAGE", `${until.toISOString()} is over`, {
    hint: "name a time to come, such as 2h or 2026-11-21T18:00:00Z",
  });
}

/** Names the target exactly; what does not exist is an error, and nothing is held by mistake. */
async function checkedTarget(
  context: EngineContext,
  { verb, scope, name, reason }: ControlRequest,
): Promise<ControlTarget> {
  if (scope === "everything") {
    if (verb !== "resume" && reason === "") {
      throw new EngineError("USAGE", `a ${verb} of everything needs a reason`, {
        hint: "say why with --reason: it is what others will read",
      });
    }
    return { scope, name: "" };
  }
  if (scope === "run") {
    const run = await findRun(context, name);
    if (run.endedAt === undefined) return { scope, name: run.id };
    throw new EngineError("CONFLICT", `run ${run.id} has ended: ${run.state}`, {
      retryable: false,
      hint: `try what failed again: thermocline retry ${run.id}`,
    });
  }
  if (scope === "backend" && !context.pool.names.includes(name)) {
    throw unknownBackend(name, context.pool.names);
  }
  // Policies and nodes come and go: a pause may be given before they are there.
  return { scope, name };
}
