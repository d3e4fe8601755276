import { type CopyChange, changeCopies } from "#index/apply-copies.ts";
import { cidText } from "#index/cid-key.ts";
import { micros } from "#index/connection.ts";
import { settleCopies } from "#index/costs/settle-costs.ts";
import { grantLeases, type MadeCopy } from "#index/leases.ts";
import { issuePermits } from "#index/runs/issue-permits.ts";
import { publicPermit, readPermits } from "#index/runs/permit-store.ts";
import { changeTags } from "#index/runs/change-tags.ts";
import { markRunActions } from "#index/runs/mark-run-actions.ts";
import { type ActionOutcome, recordOutcomes } from "#index/runs/record-outcomes.ts";
import { askAbout, policyRefusal } from "#index/runs/policy-refusal.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import { type OpenAction, type StepBatch, stepBatches } from "#index/runs/step-batch.ts";
import { type LockFinding, recordLocks } from "#index/storage-locks.ts";
import type { Transaction } from "#index/transaction.ts";
import type { CommitContext } from "#model/index-store.ts";
import type { PolicyWords } from "#model/policy-word.ts";
import type { PermitRefusal } from "#model/removal.ts";
import { fullEvidence, storedCopy } from "#model/reported-copy.ts";
import { isDoneByWorkers, isRunAction } from "#model/run-order.ts";
import type { ActionEnd, ActOutcome, CommitResult, CopyOutcome, StepData } from "#model/run.ts";

type Copied = Extract<CopyOutcome, { outcome: "done" }>;
type Acted = Extract<ActOutcome, { outcome: "done" }>;

/** A copy step on its way into the index. */
export interface CopyCommit {
  readonly step: StepData;
  readonly outcomes: readonly (CopyOutcome | ActOutcome)[];
  readonly context: CommitContext;
}

/**
 * Records copy steps of one run, or admits batches without one, and answers each with the permits
 * for its removals. An action that has an outcome or a permit already is left alone, so a step
 * that is committed twice, or under a new attempt, changes nothing and gets the same answer; only
 * one whose permit ran out unused is judged anew. All
 * are recorded or none, and no batch may be among them twice.
 */
export async function commitCopies(
  transaction: Transaction,
  commits: readonly CopyCommit[],
): Promise<readonly CommitResult[]> {
  const [first, ...others] = commits;
  if (first === undefined) return [];
  const { context } = commits.at(-1) ?? first;
  const steps = others.map(({ step }) => step);
  const { run, batches } = await stepBatches(transaction, [first.step, ...steps]);
  const sorted: Sorted = {
    ended: [],
    copied: [],
    locks: [],
    made: [],
    halfDone: [],
    removals: [],
    marks: [],
    tags: [],
    acted: [],
  };
  for (const [at, batch] of batches.entries()) sortOut(batch, commits[at]?.outcomes ?? [], sorted);
  const { ended, copied } = sorted;
  const said = await askAbout(transaction, run, [...sorted.removals, ...sorted.marks], context);
  // What is asked again later loses nothing; what is refused now would have to be planned again.
  const {
    words: policies,
    removals,
    marks,
  } = said.unknown === undefined
    ? { ...sorted, words: said.words }
    : { words: new Map(), removals: [], marks: [] };
  await changeCopies(transaction, copied);
  await recordLocks(transaction, sorted.locks);
  await grantLeases(transaction, run, sorted.made, context.now);
  await settleCopies(transaction, run, sorted.halfDone, context.now);
  ended.push(...(await tombstone(transaction, marks, policies, context.now)));
  await changeTags(transaction, run, sorted.tags);
  await markRunActions(transaction, sorted.acted, context.now);
  const step = { actions: removals, ended };
  const { refusals, awaits } = await issuePermits(transaction, run, step, context, policies);
  await recordOutcomes(transaction, run, [...ended, ...refusals], context.now);
  const more = {
    ...(context.epoch === undefined ? {} : { epoch: context.epoch }),
    ...(awaits.length === 0 ? {} : { awaits }),
    ...(said.unknown === undefined ? {} : { unknown: said.unknown }),
  };
  const results: CommitResult[] = [];
  for (const batch of batches)
    results.push({ ...more, ...(await answer(transaction, run, batch)) });
  return results;
}

interface Sorted {
  readonly ended: ActionOutcome[];
  readonly copied: CopyChange[];
  /** What the targets said of locks on the new copies. */
  readonly locks: LockFinding[];
  readonly made: MadeCopy[];
  /** Actions of them that go on with a removal. */
  readonly halfDone: number[];
  readonly removals: OpenAction[];
  /** Objects to be marked for deletion. */
  readonly marks: OpenAction[];
  /** Actions whose tags are changed here. */
  readonly tags: OpenAction[];
  /** What workers did for the sake of rules with `run:`. */
  readonly acted: OpenAction[];
}

/** Adds what the step means for each action: ended, a copy to record, a removal to judge. */
function sortOut(
  batch: StepBatch,
  outcomes: readonly (CopyOutcome | ActOutcome)[],
  sorted: Sorted,
): void {
  const bySequence = new Map(outcomes.map((outcome) => [outcome.sequence, outcome]));
  const fresh = batch.open.filter((action) => !action.permitted);
  for (const action of fresh) {
    const given = bySequence.get(action.sequence);
    if (given !== undefined && given.outcome !== "done") {
      sorted.ended.push(endOf(action, given));
      continue;
    }
    if (action.verb === "tombstone") {
      sorted.marks.push(action);
      continue;
    }
    if (isRunAction(action.verb)) {
      sortOutRun(action, given as Acted | undefined, sorted);
      continue;
    }
    const copied = given as Copied | undefined;
    const cid = cidText(action.cid);
    if (action.target !== null) {
      const problem = copyProblem(cid, copied);
      if (problem !== undefined || copied === undefined) {
        sorted.ended.push({ ...base(action), outcome: "failed", ...(problem ?? nothingReported) });
        continue;
      }
      const change = changeOf(action, action.target, copied, cid);
      sorted.copied.push(change);
      const { object_id: objectId, target: backendId, rule } = action;
      const { lock } = copied.evidence;
      if (lock !== undefined) {
        sorted.locks.push({ objectId, backendId, lock, seenAt: change.checkedAt });
      }
      sorted.made.push({ objectId, backendId, rule });
      if (action.victim !== null) sorted.halfDone.push(action.sequence);
    }
    if (action.victim !== null) {
      if (batch.cancelReason === null) sorted.removals.push(action);
      else sorted.ended.push(cancelled(action, batch.cancelReason));
    } else if (action.target !== null) {
      const evidence = copied && fullEvidence(copied.evidence, cid);
      const detail = { verb: action.verb, rule: action.rule, evidence };
      sorted.ended.push({ ...base(action), outcome: "done", message: action.reason, detail });
    }
  }
}

/** An action for its own sake: done in the index just now, or by a worker before. */
function sortOutRun(action: OpenAction, given: Acted | undefined, sorted: Sorted): void {
  const what = base(action);
  if (!isDoneByWorkers(action.verb)) {
    sorted.tags.push(action);
    sorted.ended.push({ ...what, outcome: "done", message: action.reason });
  } else if (given === undefined) {
    sorted.ended.push({ ...what, outcome: "failed", ...nothingReported });
  } else {
    sorted.acted.push(action);
    const [evidence] = given.findings ?? [];
    const { verb, rule } = action;
    const detail = { verb, rule, ...(evidence === undefined ? {} : { evidence }) };
    sorted.ended.push({ ...what, outcome: "done", message: given.message, detail });
  }
}

function copyProblem(
  ofAction: string,
  given: Copied | undefined,
): { readonly code: string; readonly message: string } | undefined {
  if (given === undefined) return nothingReported;
  const { cid = ofAction, finding } = given.evidence;
  if (finding !== "present") {
    return { code: "CORRUPT", message: `the new copy was found ${finding}` };
  }
  if (cid === ofAction) return undefined;
  return { code: "INTERNAL", message: `the evidence is about ${cid}, another object` };
}

const nothingReported = {
  code: "INTERNAL",
  message: "the worker reported nothing about this object",
} as const;

function changeOf(action: OpenAction, target: number, given: Copied, cid: string): CopyChange {
  return {
    objectId: action.object_id,
    backendId: target,
    state: "present",
    confidence: given.evidence.confidence,
    checkedAt: new Date(given.evidence.checkedAt),
    ...storedCopy(given.copy, cid),
  };
}

function endOf(action: OpenAction, given: ActionEnd): ActionOutcome {
  const what = base(action);
  if (given.outcome !== "failed") {
    return { ...what, outcome: given.outcome, message: given.reason };
  }
  const { code, message, output } = given;
  return {
    ...what,
    outcome: "failed",
    code,
    message,
    ...(output === undefined ? {} : { output }),
  };
}

function cancelled(action: OpenAction, message: string): ActionOutcome {
  return { ...base(action), outcome: "cancelled", message };
}

function base(action: OpenAction): Omit<ActionOutcome, "outcome" | "message"> {
  const { sequence, batch, object_id: objectId, size, target, verb, rule } = action;
  const moving = target === null ? "removal" : "copy";
  const step = isRunAction(verb) ? "act" : moving;
  return { sequence, batch, verb, objectId, size, step, detail: { verb, rule } };
}

/** Marks objects for deletion; their grace begins now. A hold prevents it, and so do policies. */
async function tombstone(
  transaction: Transaction,
  marks: readonly OpenAction[],
  policies: PolicyWords,
  now: Date,
): Promise<readonly ActionOutcome[]> {
  if (marks.length === 0) return [];
  const refusals = new Map(
    marks.map((action) => [
      action,
      action.held ? held : policyRefusal(action, policies.get(action.object_id), now),
    ]),
  );
  await transaction.stage(
    "tombstoned_objects",
    { object_id: "BIGINT" },
    marks
      .filter((action) => refusals.get(action) === undefined)
      .map((action) => [action.object_id]),
  );
  await transaction.run(
    `UPDATE objects SET tombstoned = make_timestamp($1::BIGINT)
     WHERE tombstoned IS NULL AND object_id IN (FROM tombstoned_objects)`,
    [micros(now)],
  );
  return marks.map((action) => {
    const refusal = refusals.get(action);
    if (refusal === undefined) return { ...base(action), outcome: "done", message: action.reason };
    const { reason: code, message } = refusal;
    return { ...base(action), outcome: "skipped", code, message };
  });
}

const held = { reason: "held", message: "a hold protects the object" } as const;

async function answer(
  transaction: Transaction,
  run: RunRecord,
  { step, victim }: StepBatch,
): Promise<CommitResult> {
  // Where nothing is removed, nothing is permitted or refused.
  if (victim === null) return { permits: [], refusals: [] };
  const range = [run.runKey, step.from, step.to];
  const permits = await readPermits(
    transaction.connection,
    `m.run_key = $1 AND m.sequence >= $2 AND m.sequence < $3 AND m.state IN ('open', 'unknown')`,
    range,
  );
  const refusals = await transaction.rows<{
    sequence: number;
    object_id: number;
    cid: Uint8Array;
    code: PermitRefusal["reason"];
    message: string;
  }>(refusalQuery, [...range, run.planKey]);
  return {
    permits: permits.map((permit) => ({ ...publicPermit(permit), sequence: permit.sequence })),
    refusals: refusals.map((row) => ({
      sequence: row.sequence,
      objectId: row.object_id,
      cid: cidText(row.cid),
      backend: step.victim ?? "",
      reason: row.code,
      message: row.message,
    })),
  };
}

const refusalQuery = `
  SELECT e.sequence, p.object_id, o.cid, e.code, e.message
  FROM outcomes AS e
  JOIN plan_actions AS p ON p.plan_key = $4 AND p.sequence = e.sequence
  JOIN objects AS o USING (object_id)
  WHERE e.run_key = $1 AND e.sequence >= $2 AND e.sequence < $3 AND e.refused
  ORDER BY e.sequence`;
