import type { Evidence } from "#model/copy.ts";
import { outcomeUnknownAfter } from "#model/removal.ts";
import type { RemoveOutcome, StepData } from "#model/run.ts";
import { isOpen, type ModelPermit } from "./model-permits.ts";
import type { ModelOutcome } from "./model-run.ts";
import { type ModelState, unissued } from "./model-state.ts";

/** Records a remove step, as src/index/runs/commit-removals does. */
export function commitRemovals(
  state: ModelState,
  step: StepData,
  outcomes: readonly RemoveOutcome[],
  now: Date,
): void {
  const run = state.run(step.runId);
  const gone: ModelPermit[] = [];
  const ended: (readonly [number, ModelOutcome, string])[] = [];
  for (const outcome of outcomes) {
    const permit = state.permits.of(run, outcome.sequence);
    if (outcome.outcome === "done") {
      if (permit?.id !== outcome.proof.permitId) throw unissued(outcome.proof.permitId);
      if (permit.state === "done") continue;
      gone.push(permit);
      const message = `the copy on ${permit.backend} is ${outcome.result}`;
      if (permit.state !== "ended" || !run.outcomes.has(permit.sequence)) {
        ended.push([permit.sequence, "done", message]);
      }
      state.prove(permit, now);
    } else if (permit !== undefined && isOpen(permit)) {
      if (outcome.outcome === "failed" && outcomeUnknownAfter.has(outcome.code)) {
        state.endPermit(permit, "unknown", now);
        state.pending.set(permit.id, outcome.code);
        continue;
      }
      state.endPermit(permit, "ended", now);
      if (outcome.outcome === "expired") continue;
      const reason = outcome.outcome === "failed" ? outcome.code : outcome.reason;
      ended.push([permit.sequence, outcome.outcome, reason]);
    }
  }
  state.forget(gone, now);
  for (const [sequence, outcome, reason] of ended) state.end(run, sequence, outcome, reason);
}

/** Ends a permit by what the backend was found to hold, as src/index/runs/settle-permit does. */
export function settlePermit(
  state: ModelState,
  permitId: string,
  evidence: Evidence,
  now: Date,
): void {
  const permit = state.permits.get(permitId);
  if (permit === undefined) throw unissued(permitId);
  if (!isOpen(permit)) return;
  const { run, sequence } = permit;
  if (evidence.finding === "absent") {
    state.prove(permit, now);
    state.forget([permit], now);
    state.end(run, sequence, "done", `the copy on ${permit.backend} is absent`);
    return;
  }
  state.endPermit(permit, "ended", now);
  const pending = state.pending.get(permit.id);
  if (pending !== undefined) state.end(run, sequence, "failed", pending);
  else if (run.state === "cancelled") {
    state.end(run, sequence, "cancelled", "the run was cancelled");
  }
}
