import { throwIfOut } from "#jobs/backend-outage.ts";
import { forEachObject } from "#jobs/for-each-object.ts";
import { checkReserved, type ReservedCheck } from "#jobs/reserved-copies.ts";
import { removeTimeoutMs } from "#jobs/job-lock.ts";
import { countedRetries, measuredAction } from "#jobs/measured-action.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import type { SegmentAction } from "#jobs/segment.ts";
import { stopOf, stopWords, type StepContext, type StepHandler } from "#jobs/step-context.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { outcomeUnknownAfter, type RemovalPermit } from "#model/removal.ts";
import type { ActionEnd, CommitResult, RemoveOutcome } from "#model/run.ts";

/** Copies whose removal is prepared together: their evidence is kept in one write. */
const removalsAtOnce = 100;

interface Removal {
  readonly permit: RemovalPermit;
  readonly action: SegmentAction;
}

/**
 * Removes the copies for which the commit before it gave permits: asks the backends now for
 * the reserved copies, keeps that evidence with the job, and only then removes. This is the
 * only place in the engine that calls `Driver.remove`.
 */
const remove: StepHandler = {
  name: "remove",
  run: async (context: StepContext): Promise<readonly RemoveOutcome[]> => {
    const { memory, signal } = context;
    const removals = await permitted(context);
    const victim = victimOf(context);
    const rest = () => removals.filter(({ action }) => !memory.has(action.sequence));
    try {
      for (let from = 0; from < removals.length; from += removalsAtOnce) {
        const part = removals.slice(from, from + removalsAtOnce);
        await removeTogether(
          part.filter(({ action }) => !memory.has(action.sequence)),
          victim,
          context,
        );
      }
    } catch (error) {
      if (stopOf(signal) !== "cancel") throw error;
      const end: ActionEnd = { outcome: "cancelled", reason: stopWords(signal) };
      await forEachObject(
        rest(),
        context.settings.objectsAtOnce,
        unstoppable(),
        async (removal) => {
          memory.add(await settled(removal, end, victim, context), 0);
        },
      );
    }
    return memory.outcomes() as readonly RemoveOutcome[];
  },
};

export default remove;

async function removeTogether(
  removals: readonly Removal[],
  victim: Driver,
  context: StepContext,
): Promise<void> {
  const { memory, signal, settings, drain } = context;
  const checks = new Map<Removal, ReservedCheck>();
  const check = async (removal: Removal): Promise<void> => {
    checks.set(removal, await checkReserved(removal.permit, removal.action.object, context));
  };
  await forEachObject(removals, settings.objectsAtOnce, signal, check, drain);
  await memory.keepEvidence([...checks.values()].flatMap((done) => done.evidence));
  const end = async ([removal, done]: readonly [Removal, ReservedCheck]): Promise<void> => {
    const outcome =
      done.refusal === undefined
        ? await measuredAction(context, removal.permit.backend, () =>
            removeOne(removal, done, victim, context),
          )
        : await settled(removal, done.refusal, victim, context);
    const findings = done.evidence.filter((evidence) => evidence.finding !== "present");
    memory.add(findings.length === 0 ? outcome : { ...outcome, findings }, 0);
  };
  await forEachObject([...checks], settings.objectsAtOnce, signal, end, drain);
}

async function removeOne(
  removal: Removal,
  check: ReservedCheck,
  victim: Driver,
  context: StepContext,
): Promise<RemoveOutcome> {
  const { permit, action } = removal;
  const leftMs = Date.parse(permit.expiresAt) - context.now().getTime();
  if (leftMs <= 0) return settled(removal, expired(permit), victim, context);
  let unanswered: EngineError | undefined;
  try {
    const result = await runWithRetries(
      async () => {
        await context.lock.confirm();
        // Once asked for, a removal is waited for, whoever pauses or cancels: giving the call up
        // would not undo it, only hide how it ended.
        const signal = AbortSignal.timeout(Math.min(removeTimeoutMs, leftMs));
        if (context.now().toISOString() >= permit.expiresAt) throw expiredError(permit);
        return victim.remove(action.object, permit, { signal }).catch((thrown: unknown) => {
          const error = EngineError.from(thrown);
          if (outcomeUnknownAfter.has(error.code)) unanswered = error;
          throw error;
        });
      },
      countedRetries(context, permit.backend),
    );
    const proof = { permitId: permit.id, evidence: check.evidence };
    return { sequence: action.sequence, outcome: "done", result, proof };
  } catch (thrown) {
    const stop = stopOf(context.signal);
    // Paused or shut down: whoever goes on with the job waits before it asks how a call ended.
    if (stop !== "cancel" || unanswered === undefined) context.signal.throwIfAborted();
    const error = EngineError.from(thrown);
    if (stop === undefined) await throwIfOut(permit.backend, victim, error, true);
    // A try that got no answer may still be acted on, whatever a later one was told.
    const { code, message } = unanswered ?? error;
    const end = { outcome: "failed", code, message } as const;
    return settled(removal, end, victim, context);
  }
}

/**
 * How an action ends whose removal this worker did not make. An earlier worker may have made it
 * and died before saying so: the backend is asked, so that the index never believes in a copy
 * that is gone. When it cannot be asked, the step throws and is tried again.
 */
async function settled(
  { permit, action }: Removal,
  end: ActionEnd,
  victim: Driver,
  context: StepContext,
): Promise<RemoveOutcome> {
  const signal = unstoppable();
  await context.lock.quiet();
  const found = await runWithRetries(() => victim.stat(action.object, { signal }), {
    signal,
  }).catch(async (thrown: unknown) => {
    const error = EngineError.from(thrown);
    await throwIfOut(permit.backend, victim, error, false);
    throw error;
  });
  if (found !== undefined) return { sequence: action.sequence, ...end };
  const evidence = {
    backend: permit.backend,
    cid: permit.cid,
    finding: "absent",
    confidence: "listed",
    method: "looked for it after a removal whose outcome was unknown",
    checkedAt: context.now().toISOString(),
    bytesRead: 0,
  } as const;
  const kept = context.memory.evidenceFor(permit.cid);
  const proof = { permitId: permit.id, evidence: [...kept, evidence] };
  return { sequence: action.sequence, outcome: "done", result: "absent", proof };
}

async function permitted(context: StepContext): Promise<readonly Removal[]> {
  const commit = await context.previous<CommitResult>();
  const actions = new Map(context.actions.map((action) => [action.sequence, action]));
  return commit.permits.map((permit) => {
    const action = actions.get(permit.sequence);
    if (action?.object.cid === permit.cid && permit.backend === context.data.victim) {
      return { permit, action };
    }
    const message = `permit ${permit.id} does not fit action ${permit.sequence} of its batch`;
    throw new EngineError("INTERNAL", message);
  });
}

function victimOf(context: StepContext): Driver {
  const { victim } = context.data;
  const driver = context.drivers.get(victim ?? "");
  if (driver !== undefined) return driver;
  throw new EngineError("INTERNAL", `this node has no driver for backend ${victim}`);
}

function expired(permit: RemovalPermit): ActionEnd {
  const { code, message } = expiredError(permit);
  return { outcome: "failed", code, message };
}

function expiredError(permit: RemovalPermit): EngineError {
  const message = `the permit to remove the copy on ${permit.backend} ran out at ${permit.expiresAt}`;
  return new EngineError("REFUSED", message, { hint: "apply the plan again" });
}

/** Asking what happened goes on although the run was cancelled. */
function unstoppable(): AbortSignal {
  return new AbortController().signal;
}
