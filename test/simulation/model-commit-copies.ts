import { judgeReachable } from "#index/runs/judge-removal.ts";
import { refuseTooEarly } from "#index/runs/refuse-too-early.ts";
import type { CommitContext } from "#model/index-store.ts";
import { storedCopy } from "#model/reported-copy.ts";
import type { CommitResult, CopyOutcome, StepData } from "#model/run.ts";
import type { SaidOfCopy } from "./model-copies.ts";
import { isOpen, type PermitFacts, publicPermit } from "./model-permits.ts";
import type { ModelAction, ModelOutcome, ModelRun } from "./model-run.ts";
import type { ModelState } from "./model-state.ts";

/** Records a copy step and answers with permits, as src/index/runs/commit-copies does. */
export async function commitCopies(
  state: ModelState,
  step: StepData,
  outcomes: readonly CopyOutcome[],
  context: CommitContext,
): Promise<CommitResult> {
  const run = state.run(step.runId);
  const fresh = run.openOf(step).filter(({ sequence }) => !state.permits.isIssued(run, sequence));
  const asked = fresh.filter(({ victim, verb }) => victim !== null || verb === "tombstone");
  const ids = [...new Set(asked.map(({ object }) => object))];
  const words = ids.length === 0 ? new Map() : await context.askPolicies(ids, undefined);
  const isHeld = (object: number) => state.object(object).held;
  const { ended, copied, removals } = sortOut(state, run, fresh, outcomes);
  if (removals.length > 0) refuseTooEarly(context);
  state.copies.change(copied);
  for (const action of fresh.filter(({ verb }) => verb === "tombstone")) {
    const word = words.get(action.object);
    const refusal = isHeld(action.object) ? "held" : (word?.refused ?? word?.kept)?.reason;
    if (refusal === undefined) state.object(action.object).tombstoned ??= context.now.getTime();
    ended.push(
      refusal === undefined ? [action, "done", "by chance"] : [action, "skipped", refusal],
    );
  }
  const about: PermitFacts = {
    copies: state.copies,
    runs: state.runs,
    names: state.names,
    isHeld,
    said: (object) => words.get(object),
    markedSince: (object) => state.object(object).tombstoned,
    same: state.same,
    out: new Set([...(context.unreachable ?? [])].map((name) => state.names.indexOf(name))),
  };
  const awaits = awaited(removals, run, state, about, context);
  for (const action of awaits.length > 0 ? [] : removals) {
    const { cid, size, profile } = state.object(action.object);
    const permit = state.permits.issue(run, action, { cid, size, profile }, about, context);
    if (typeof permit === "string") ended.push([action, "skipped", permit]);
    else state.issued.push({ entry: state.entry(), permit: permit.id });
  }
  for (const [{ sequence }, outcome, reason] of ended) state.end(run, sequence, outcome, reason);
  const open = state.permits.all().filter((permit) => permit.run === run && isOpen(permit));
  const mine = open.filter(({ sequence }) => sequence >= step.from && sequence < step.to);
  const answer = { permits: mine.map((permit) => publicPermit(permit)), refusals: [] };
  return awaits.length === 0 ? answer : { ...answer, awaits };
}

/** Backends that are out and without which no removal of the step is judged. */
function awaited(
  removals: readonly ModelAction[],
  run: ModelRun,
  state: ModelState,
  facts: PermitFacts,
  context: CommitContext,
): readonly string[] {
  if (facts.out.size === 0) return [];
  const needed = removals.flatMap((action) => {
    const removal = state.permits.caseOf(action, run, facts, context);
    const judgement = judgeReachable(removal, facts.out);
    return judgement.permitted ? [removal.victim, ...judgement.reserved.keys()] : [];
  });
  const ids = [...new Set(needed)].filter((id) => facts.out.has(id)).toSorted((a, b) => a - b);
  return ids.map((id) => state.names[id] ?? "");
}

interface Sorted {
  readonly ended: (readonly [ModelAction, ModelOutcome, string])[];
  readonly copied: SaidOfCopy[];
  readonly removals: ModelAction[];
}

/** What the step means for each action: ended, a copy to record, a removal to judge. */
function sortOut(
  state: ModelState,
  run: ModelRun,
  fresh: readonly ModelAction[],
  outcomes: readonly CopyOutcome[],
): Sorted {
  const given = new Map(outcomes.map((outcome) => [outcome.sequence, outcome]));
  const sorted: Sorted = { ended: [], copied: [], removals: [] };
  for (const action of fresh) {
    const said = given.get(action.sequence);
    if (said !== undefined && said.outcome !== "done") {
      const reason = said.outcome === "failed" ? said.code : said.reason;
      sorted.ended.push([action, said.outcome, reason]);
      continue;
    }
    if (action.target !== null) {
      if (said === undefined || said.evidence.finding !== "present") {
        sorted.ended.push([action, "failed", said === undefined ? "INTERNAL" : "CORRUPT"]);
        continue;
      }
      const { confidence, checkedAt: at } = said.evidence;
      const change = { state: "present", confidence, checkedAt: Date.parse(at) } as const;
      const where = { object: action.object, backend: action.target };
      const { cid } = state.object(action.object);
      sorted.copied.push({ ...storedCopy(said.copy, cid), ...change, ...where });
    }
    if (action.victim !== null) {
      if (run.state !== "cancelled") sorted.removals.push(action);
      else sorted.ended.push([action, "cancelled", "the run was cancelled"]);
    } else if (action.target !== null) sorted.ended.push([action, "done", "by chance"]);
  }
  return sorted;
}
