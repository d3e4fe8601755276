import { z } from "zod";
import {
  type Approval,
  approvalStates,
  type Decision,
  type DecisionRequest,
  verdicts,
} from "#model/approval.ts";
import { approvalTermsSchema } from "#model/plan-schema.ts";
import { count, type Shape, shapeOf, time } from "#model/shape.ts";
import { reference } from "#api/schemas/input.ts";

/** A plan that waits, or waited, for approval. */
export const approvalSchema = shapeOf<Approval>({
  runId: z.string(),
  planCid: z.string(),
  changeDigest: z.string(),
  state: z.enum(approvalStates),
  author: z.string(),
  origin: z.string(),
  requestedAt: time,
  expiresAt: time,
  evaluatedAt: time,
  actions: count,
  objects: count,
  bytes: count,
  terms: z.array(approvalTermsSchema),
  decisions: z.array(
    shapeOf<Decision>({
      verdict: z.enum(verdicts),
      by: z.string(),
      at: time,
      reason: z.string(),
      policies: z.array(z.string()),
    }),
  ),
  override: z.array(z.string()),
  reason: z.string(),
});

/** An order to decide. */
export const decisionInput = z.strictObject({
  plan: reference,
  verdict: z.enum(verdicts),
  reason: z.string().min(1).max(4_096),
  expectDigest: reference.exactOptional(),
  allowSubset: z.boolean().exactOptional(),
} satisfies Shape<DecisionRequest>);
