import { expect, test } from "vitest";
import { runSchedule, type ScheduleResult } from "./run-schedule.ts";

test.for([
  [1, "everything"],
  [3, "everything"],
  [5, "everything"],
  [8, "everything"],
  [4, "rivals"],
  [9, "takeover"],
  [4, "deletion"],
  [9, "restraint"],
] as const)(
  "schedule %d of %s ends alike on the model of the index and on the real one",
  { timeout: 60_000 },
  async ([seed, theme]) => {
    const real = await runSchedule({ seed, theme, index: "real" });
    const model = await runSchedule({ seed, theme, index: "model" });
    expect(real.violations).toEqual([]);
    expect(ends(model)).toEqual(ends(real));
  },
);

/** What both must agree on: run ids carry the CID of a plan, which depends on the index. */
function ends({ facts, removals }: ScheduleResult) {
  const outcomes = facts.outcomes.map(({ run, sequence, outcome }) => {
    return `${run.split("-").slice(0, 2).join(" ")}, action ${sequence}: ${outcome}`;
  });
  const { copies, permits, proofs } = facts;
  return { copies, outcomes, permits: permits.length, proofs: proofs.length, removals };
}
