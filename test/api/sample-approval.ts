import type { Approval } from "#model/approval.ts";
import { at } from "./sample-values.ts";

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
