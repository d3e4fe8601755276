import { throwIfOut } from "#jobs/backend-outage.ts";
import { forEachObject } from "#jobs/for-each-object.ts";
import { checkReserved, type ReservedCheck } from "#jobs/reserved-copies.ts";
import { type Removal, settledRemoval, unstoppable } from "#jobs/settled-removal.ts";
import { countedRetries, measuredAction } from "#jobs/measured-action.ts";
import { isPermitExpired, permitExpired } from "#jobs/permit-expired.ts";
import { refusedAsSame } from "#jobs/refused-as-same.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import { stopOf, stopWords, type StepContext, type StepHandler } from "#jobs/step-context.ts";
import { Storages } from "#jobs/storages.ts";
import type { Evidence, StorageLock } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { isHeldByStorage, lockOfError } from "#model/held-by-storage.ts";
import { outcomeUnknownAfter, type RemovalPermit, removeTimeoutMs } from "#model/removal.ts";
import type { ActionEnd, CommitResult, RemovalEnd, RemoveOutcome } from "#model/run.ts";

/** Copies whose removal is prepared together: their evidence is kept in one write. */
const removalsAtOnce = 100;

const notTried: ActionEnd = { outcome: "failed", code: "INTERNAL", message: "nobody tried it" };

/**
 * Removes the copies for which the commit before it gave permits: asks the backends now for
 * the reserved copies, keeps that evidence with the job, and only then removes. This is the
 * only place in the engine that calls `Driver.remove`.
 */
const remove: StepHandler = {
  name: "remove",
  run: async (context: StepContext): Promise<readonly RemoveOutcome[]> => {
    const { memory, signal } = context;
    using _kept = await context.lock.keep();
    const removals = await permitted(context);
    const victim = victimOf(context);
    // Whoever had the job before may have said "kept" while yet another worker, of whom this one
    // knows nothing, removed the copy: such an end is believed once the backend was asked again.
    const told = new Map(
      (memory.outcomes() as readonly RemoveOutcome[])
        .filter(({ outcome }) => outcome !== "done")
        .map(({ sequence, ...end }) => [sequence, end as RemovalEnd]),
    );
    const settleAll = async (open: readonly Removal[], otherwise: ActionEnd, stop: AbortSignal) => {
      await forEachObject(open, context.settings.objectsAtOnce, stop, async (removal) => {
        const { sequence } = removal.action;
        const end = told.get(sequence) ?? otherwise;
        memory.add(await settledRemoval(removal, end, victim, context));
        told.delete(sequence);
      });
    };
    const rest = () =>
      removals.filter(({ action: { sequence } }) => !memory.has(sequence) || told.has(sequence));
    try {
      for (let from = 0; from < removals.length; from += removalsAtOnce) {
        const part = removals.slice(from, from + removalsAtOnce);
        const open = new Set(rest().map(({ permit }) => permit.cid));
        await removeTogether(
          part.filter(({ action }) => !memory.has(action.sequence)),
          open,
          victim,
          context,
        );
      }
      await settleAll(rest(), notTried, signal);
    } catch (error) {
      if (context.lock.lost || stopOf(signal) !== "cancel") throw error;
      const end: ActionEnd = { outcome: "cancelled", reason: stopWords(signal) };
      await settleAll(rest(), end, unstoppable());
    }
    return memory.outcomes() as readonly RemoveOutcome[];
  },
};

export default remove;

async function removeTogether(
  removals: readonly Removal[],
  open: ReadonlySet<string>,
  victim: Driver,
  context: StepContext,
): Promise<void> {
  const { memory, signal, settings, drain } = context;
  const storages = new Storages(context);
  const checks = new Map<Removal, ReservedCheck>();
  const check = async (removal: Removal): Promise<void> => {
    checks.set(
      removal,
      await checkReserved(removal.permit, removal.action.object, context, storages),
    );
  };
  await forEachObject(removals, settings.objectsAtOnce, signal, check, drain);
  // What ends in a refusal is what no removal rests on.
  const passed = [...checks.values()].filter(({ refusal }) => refusal === undefined);
  await memory.keepEvidence(
    passed.flatMap((done) => done.evidence),
    open,
  );
  // Copies are read for minutes, and meanwhile what was away comes back.
  const storagesNow = new Storages(context);
  const end = async ([removal, checked]: readonly [Removal, ReservedCheck]): Promise<void> => {
    const refusal = checked.refusal ?? (await refusedAsSame(removal.permit, storagesNow, context));
    const done = { ...checked, refusal };
    const outcome =
      done.refusal === undefined
        ? await measuredAction(context, removal.permit.backend, () =>
            removeOne(removal, done, victim, context),
          )
        : await settledRemoval(removal, done.refusal, victim, context);
    const findings = done.evidence.filter((evidence) => evidence.finding !== "present");
    const all = [...findings, ...(outcome.findings ?? [])];
    memory.add(all.length === 0 ? outcome : { ...outcome, findings: all });
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
  if (leftMs(permit, context.permitNow()) <= 0) {
    const end = { outcome: "expired", reason: permitExpired(permit).message } as const;
    return settledRemoval(removal, end, victim, context);
  }
  let unanswered: EngineError | undefined;
  try {
    const result = await runWithRetries(
      async () => {
        const confirm = async () => {
          const left = leftMs(permit, context.permitNow(await context.lock.confirm()));
          if (!(left > 0)) throw permitExpired(permit);
          return left;
        };
        // Once asked for, a removal is waited for, whoever pauses or cancels: giving the call up
        // would not undo it, only hide how it ended.
        const signal = AbortSignal.timeout(Math.min(removeTimeoutMs, await confirm()));
        const options = { signal, confirm: async () => void (await confirm()) };
        return victim.remove(action.object, permit, options).catch((thrown: unknown) => {
          const error = EngineError.from(thrown);
          if (outcomeUnknownAfter.has(error.code)) unanswered = error;
          throw error;
        });
      },
      countedRetries(context, permit.backend),
    );
    // What is gone already went by an earlier call, perhaps of whoever had the job before.
    const kept = result === "removed" ? check.evidence : context.memory.evidenceFor(permit.cid);
    const proof = { permitId: permit.id, evidence: kept };
    return { sequence: action.sequence, outcome: "done", result, proof };
  } catch (thrown) {
    // What another worker does with the permit is for that one to report.
    if (context.lock.lost) throw thrown;
    const stop = stopOf(context.signal);
    // Paused or shut down: whoever goes on with the job waits before it asks how a call ended.
    if (stop !== "cancel" || unanswered === undefined) context.signal.throwIfAborted();
    const error = EngineError.from(thrown);
    if (stop === undefined) await throwIfOut(permit.backend, victim, error, true);
    // A try that got no answer may still be acted on, whatever a later one was told.
    const { code, message } = unanswered ?? error;
    const end = unanswered === undefined ? endOf(error) : failedBy(code, message);
    const lock = unanswered === undefined ? lockOfError(error) : undefined;
    const settled = await settledRemoval(removal, end, victim, context);
    if (lock === undefined || settled.outcome === "done") return settled;
    return { ...settled, findings: [lockedCopy(permit, lock, context.now())] };
  }
}

function leftMs({ expiresAt }: RemovalPermit, now: Date): number {
  return Date.parse(expiresAt) - now.getTime();
}

/** What the index is told of a copy that its backend let nobody remove, and that is still there. */
function lockedCopy({ backend, cid }: RemovalPermit, lock: StorageLock, now: Date): Evidence {
  return {
    backend,
    cid,
    finding: "present",
    confidence: "listed",
    method: "asked the backend to remove it, which keeps it under a lock",
    checkedAt: now.toISOString(),
    bytesRead: 0,
    lock,
  };
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

function endOf(error: EngineError): RemovalEnd {
  const { code, message } = error;
  if (isPermitExpired(error)) return { outcome: "expired", reason: message };
  if (isHeldByStorage(error)) return { outcome: "skipped", reason: `kept: ${message}` };
  return failedBy(code, message);
}

function failedBy(code: EngineError["code"], message: string): RemovalEnd {
  return { outcome: "failed", code, message };
}
