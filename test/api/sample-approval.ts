import type { Approval } from "#model/approval.ts";
import type { PlanDiff } from "#model/plan-diff.ts";
import type { UndoReport } from "#model/undo.ts";
import { at, sampleAction, samplePlan, sampleRun } from "./sample-values.ts";

/** A plan that waits for the second of two approvals. */
export const sampleApproval: Approval = {
  runId: "run-1",
  planCid: "bafyplan",
  changeDigest: "bafkreirows",
  state: "awaiting",
  author: "alice@box",
  origin: "apply",
  requestedAt: at,
  expiresAt: "2026-03-04T12:00:00.000Z",
  evaluatedAt: at,
  actions: 12,
  objects: 11,
  bytes: 1_200,
  terms: [
    {
      policy: "cool",
      when: "bytes > 1kB",
      from: "role approver",
      ttlMs: 259_200_000,
      preventSelfApproval: true,
    },
    { policy: "drop", when: "deletes > 0", ttlMs: 259_200_000, preventSelfApproval: false },
  ],
  decisions: [
    { verdict: "approve", by: "bob@box", at, reason: "agreed in the meeting", policies: ["drop"] },
  ],
  override: ["objects"],
  reason: "",
};

/** Two plans of which the second moves one object elsewhere. */
export const samplePlanDiff: PlanDiff = {
  from: { cid: "bafyone", evaluatedAt: at, indexVersion: 7, actions: 2 },
  to: { cid: "bafytwo", evaluatedAt: at, indexVersion: 7, actions: 2 },
  objects: {
    gained: { objects: 0, bytes: 0 },
    lost: { objects: 0, bytes: 0 },
    changed: { objects: 1, bytes: 10 },
    same: { objects: 1, bytes: 20 },
  },
  rules: [
    {
      rule: "cool/down",
      difference: "changed",
      objects: 1,
      bytes: 10,
      samples: [
        {
          cid: "bafkreiobject",
          path: "/photos/one.jpg",
          size: 10,
          from: ["demote to cold from hot"],
          to: ["demote to ice from hot"],
        },
      ],
    },
  ],
};

/** A run of which one removed copy can be made again, and one cannot. */
export const sampleUndo: UndoReport = {
  run: "run-1",
  removed: { copies: 4, bytes: 40 },
  plan: samplePlan.plan,
  sample: [sampleAction],
  back: 1,
  blocked: [{ rule: "undo/hot", reason: "capacity", objects: 1, bytes: 10 }],
  gone: [{ backend: "#9", copies: 1 }],
  made: { copies: 4, bytes: 40 },
  marked: 0,
  started: sampleRun,
};
