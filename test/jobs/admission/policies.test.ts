import { expect, test } from "vitest";
import { Admission } from "#jobs/admission.ts";
import { policiesRule } from "#jobs/admission/policies.ts";
import type { DispatchContext } from "#jobs/dispatch-context.ts";
import { laneDemands } from "#jobs/lane-demand.ts";
import { WaitBoard } from "#jobs/wait-board.ts";
import type { WorkGroup } from "#model/index-store.ts";
import type { Run } from "#model/run.ts";
import { pending } from "./pending-work.ts";

const start = new Date("2026-05-04T12:00:00Z");
const evict = { ...pending, verb: "evict", target: null, victim: "hot" } as const;
const move = { ...evict, verb: "demote", target: "cold" } as const;
const mark = { ...evict, verb: "tombstone", victim: null } as const;
const copy = { ...pending, verb: "replicate", target: "cold", victim: null } as const;

async function admitting(unknown: string | undefined) {
  let holds = 0;
  const state = { unknown: async () => unknown, holds: () => (holds += 1) };
  const admission = new Admission([policiesRule(state)]);
  await admission.refresh(start);
  return { admission, held: () => holds };
}

test("what takes away waits while nobody can say what policies want, if it has not begun", async () => {
  const { admission, held } = await admitting("a.yaml:3:5: no such word");
  for (const work of [evict, move, mark]) {
    expect(admission.judge(work, start)).toMatchObject({
      reason: "policies",
      message: expect.stringContaining("a.yaml:3:5") as string,
    });
    expect(admission.judge({ ...work, node: "node-1" }, start)).toBeUndefined();
  }
  expect(held()).toBe(3);
  expect(admission.judge(copy, start)).toBeUndefined();
  const known = await admitting(undefined);
  expect(known.admission.judge(evict, start)).toBeUndefined();
  expect([held(), known.held()]).toEqual([3, 0]);
});

test("work that was handed out and waits keeps no other from its lane", async () => {
  const group = (work: typeof evict | typeof copy, runId: string): WorkGroup => {
    const { node: _node, ...names } = work;
    const counts = { pending: 0, blocked: 0, queued: 50 };
    return { ...names, ...counts, lane: "cold", runId, key: runId };
  };
  const groups = [group({ ...move, verb: "evict", target: null }, "waits"), group(copy, "goes")];
  const runs = groups.map(({ runId: id }) => ({ id, state: "running", priority: 0 }));
  const queued = async (unknown: string | undefined) => {
    const index = {
      workGroups: async (id: string) => groups.filter(({ runId }) => runId === id),
    };
    const { admission } = await admitting(unknown);
    const waits = new WaitBoard();
    const context = { index, admission, waits, now: () => start };
    const demands = await laneDemands(
      runs as unknown as readonly Run[],
      context as unknown as DispatchContext,
    );
    return demands.map((demand) => demand.queued);
  };
  expect(await queued(undefined)).toEqual([100]);
  expect(await queued("a.yaml:3:5: no such word")).toEqual([50]);
});
