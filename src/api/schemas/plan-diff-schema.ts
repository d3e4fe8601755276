import { z } from "zod";
import {
  type ComparedPlan,
  type ObjectCount,
  type PlanDiff,
  planDifferences,
  type PlanDiffRequest,
  type PlanDiffSample,
  type RuleDiff,
} from "#model/plan-diff.ts";
import { costSchema } from "#model/plan-schema.ts";
import { count, type Shape, shapeOf, time } from "#model/shape.ts";
import { absolutePath, moment } from "#api/schemas/input.ts";

const samplesMax = 1_000;
const filesMax = 1_000;

const side = z.union([
  z.strictObject({ planFile: absolutePath }),
  z.strictObject({ policies: z.array(absolutePath).min(1).max(filesMax) }),
]);

/** Two plans to compare. */
export const planDiffInput = z.strictObject({
  from: side,
  to: side,
  at: moment.exactOptional(),
  samples: z.int().nonnegative().max(samplesMax).exactOptional(),
} satisfies Shape<PlanDiffRequest>);

const compared = shapeOf<ComparedPlan>({
  cid: z.string(),
  evaluatedAt: time,
  indexVersion: count,
  actions: count,
  cost: costSchema.optional(),
});
const objects = shapeOf<ObjectCount>({ objects: count, bytes: count });

/** What two plans do differently. */
export const planDiffSchema = shapeOf<PlanDiff>({
  from: compared,
  to: compared,
  objects: z.looseObject({ gained: objects, lost: objects, changed: objects, same: objects }),
  rules: z.array(
    shapeOf<RuleDiff>({
      rule: z.string(),
      difference: z.enum(planDifferences),
      objects: count,
      bytes: count,
      samples: z.array(
        shapeOf<PlanDiffSample>({
          cid: z.string(),
          path: z.string().optional(),
          size: count,
          from: z.array(z.string()),
          to: z.array(z.string()),
        }),
      ),
    }),
  ),
});
