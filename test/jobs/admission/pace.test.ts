import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Admission } from "#jobs/admission.ts";
import { paceRule } from "#jobs/admission/pace.ts";
import { parseBandwidth } from "#model/bandwidth.ts";
import type { Batch } from "#model/run.ts";
import type { Pace } from "#policies/timing/pace.ts";
import type { PolicyTiming } from "#policies/timing/policy-timing.ts";
import { pending } from "./pending-work.ts";

const start = new Date("2026-05-04T12:00:00Z");
const after = (ms: number): Date => new Date(start.getTime() + ms);

function batch(actions: number, bytes: number, policy = "cool"): Batch {
  const { lane: _lane, node: _node, ...work } = pending;
  const range = { number: 0, from: 0, to: actions, state: "pending", attempt: 0 } as const;
  return { ...work, ...range, policy, planCid: "plan", actions, bytes };
}

async function paced(pace: Pace) {
  const timing: PolicyTiming = {
    zone: "Europe/Berlin",
    schedule: undefined,
    triggers: [],
    windows: undefined,
    pace,
  };
  const admission = new Admission([paceRule(async () => new Map([["cool", timing]]))]);
  await admission.refresh(start);
  return admission;
}

describe("the pace of a policy", () => {
  test("lets a batch begin, and the next one when time has paid for it", async () => {
    const admission = await paced({ actionsPerSecond: 2 });
    const batches = [batch(20, 1), batch(20, 1)];
    expect(admission.admit(batches, start)).toHaveLength(1);
    expect(admission.judge(pending, after(1_000))).toEqual({
      reason: "rate",
      message: "policy cool begins at most 2/s actions",
      until: after(10_000).toISOString(),
      remedy: "change `limits:` of the policy, if it may go faster",
    });
    expect(admission.admit(batches, after(9_999))).toEqual([]);
    expect(admission.judge(pending, after(10_000))).toBeUndefined();
    expect(admission.admit(batches, after(10_000))).toHaveLength(1);
  });

  test("holds neither other policies nor what is under way", async () => {
    const admission = await paced({ actionsPerSecond: 1 });
    expect(admission.admit([batch(60, 1), batch(60, 1, "other")], start)).toHaveLength(2);
    expect(admission.judge({ ...pending, policy: "other" }, start)).toBeUndefined();
    expect(admission.judge({ ...pending, node: "node-1" }, start)).toBeUndefined();
    expect(admission.judge(pending, start)).toMatchObject({ reason: "rate" });
  });

  test("follows the bandwidth timetable by the clock of the policy's zone", async () => {
    // 12:00 UTC is 14:00 in Berlin.
    const admission = await paced({ bandwidth: parseBandwidth("08:00,1M 15:00,off") });
    const big = batch(1, 7_200 * 2 ** 20);
    expect(admission.admit([big], start)).toHaveLength(1);
    expect(admission.judge(pending, after(60_000))?.reason).toBe("bandwidth");
    expect(admission.judge(pending, after(3_600_000))).toBeUndefined();
  });
});

test("never begins more than rate × time and one batch, however it is asked", async () => {
  const asks = fc.array(
    fc.record({ waitMs: fc.nat({ max: 5_000 }), actions: fc.integer({ min: 1, max: 40 }) }),
    { maxLength: 40 },
  );
  let admitted = 0;
  await fc.assert(
    fc.asyncProperty(asks, fc.integer({ min: 1, max: 20 }), async (steps, rate) => {
      const admission = await paced({ actionsPerSecond: rate });
      let ms = 0;
      let begun = 0;
      return steps.every(({ waitMs, actions }) => {
        ms += waitMs;
        const before = begun;
        begun += admission.admit([batch(actions, 0)], after(ms)).length * actions;
        if (begun > before) admitted += 1;
        return begun === before || before <= (rate * ms) / 1_000 + 1e-6;
      });
    }),
  );
  expect(admitted).toBeGreaterThan(100);
});
