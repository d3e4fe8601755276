import { z } from "zod";
import type {
  ClauseExplanation,
  Explanation,
  RuleExplanation,
  RuleStatement,
} from "#model/explanation.ts";
import { objectDetailSchema } from "#api/schemas/object-schema.ts";
import { optionalText, shapeOf, time } from "#model/shape.ts";

/** Why the policies do, or do not do, something with an object. */
export const explanationSchema = shapeOf<Explanation>({
  object: objectDetailSchema,
  evaluatedAt: time,
  rules: z.array(
    shapeOf<RuleExplanation>({
      rule: z.string(),
      place: z.string(),
      verb: z.string(),
      matched: z.boolean(),
      result: z.string(),
      clauses: z.array(
        shapeOf<ClauseExplanation>({
          text: z.string(),
          holds: z.boolean(),
          value: z.string(),
          flip: optionalText,
        }),
      ),
    }),
  ),
  conclusion: z.array(z.string()),
  nextChange: z.looseObject({ at: time, what: z.string() }).optional(),
});

/** What a rule asks of the index. */
export const ruleStatementSchema = shapeOf<RuleStatement>({
  rule: z.string(),
  place: z.string(),
  verb: z.string(),
  sql: z.string(),
});
