import { type Confidence, confidences } from "#model/copy.ts";
import type { ObjectFunction, SqlContext } from "#policies/attribute-definition.ts";
import { evaluate } from "#policies/expression/evaluate.ts";
import type { Expression } from "#policies/expression/expression.ts";
import { numberType } from "#policies/expression/value-type.ts";
import { copiesOn } from "#policies/plan/one-storage.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

const copies: ObjectFunction = {
  kind: "function",
  name: "copies",
  scope: "object",
  type: numberType,
  changes: "copies",
  summary:
    "How many present copies there are on the backends, and with the confidence, that the " +
    "conditions ask for; without conditions, on all backends. Names of one storage count once.",
  example: "copies(tier >= cold, confidence >= verified) >= 1",
  parameters: [
    { name: "where", kind: "condition", of: "copies", optional: true },
    { name: "confidence", kind: "condition", of: "copies", optional: true },
  ],
  sql: countCopies,
};

/**
 * The conditions are judged here, once for each backend and confidence; what is left for the
 * database is to count bits. `x_mask` has the backends with a copy of confidence x or better.
 */
function countCopies(context: SqlContext, conditions: readonly Expression[]): SqlFragment {
  const wanted = confidences.map((confidence) => wantedMask(confidence, context, conditions));
  if (!isMonotone(wanted)) return countExactly(context, wanted);
  const terms = confidences.flatMap((confidence, level) => {
    // What a lower confidence suffices for is counted there already.
    const added = (wanted[level] ?? 0n) & ~(wanted[level - 1] ?? 0n);
    return added === 0n ? [] : [sql`(${trusted(maskColumns[confidence])} & ${added}::BIGINT)`];
  });
  if (terms.length === 0) return sql`0::BIGINT`;
  return sql`${copiesOn(context, joinFragments(terms, " | "))}::BIGINT`;
}

/** Conditions such as `confidence = listed` leave better copies out. */
function countExactly(context: SqlContext, wanted: readonly bigint[]): SqlFragment {
  const terms = confidences.map((confidence, level) => {
    const better = confidences[level + 1];
    const column = trusted(maskColumns[confidence]);
    const exact =
      better === undefined ? column : sql`(${column} & ~${trusted(maskColumns[better])})`;
    return sql`(${exact} & ${wanted[level] ?? 0n}::BIGINT)`;
  });
  return sql`${copiesOn(context, joinFragments(terms, " | "))}::BIGINT`;
}

function isMonotone(wanted: readonly bigint[]): boolean {
  return wanted.every((mask, level) => ((wanted[level - 1] ?? 0n) & ~mask) === 0n);
}

function wantedMask(
  confidence: Confidence,
  { backends, now }: SqlContext,
  conditions: readonly Expression[],
): bigint {
  return backends
    .filter((backend) =>
      conditions.every((condition) => evaluate(condition, now, { backend, confidence }) === true),
    )
    .reduce((mask, backend) => mask | (1n << BigInt(backend.id)), 0n);
}

const maskColumns: Readonly<Record<Confidence, string>> = {
  claimed: "o.present_mask",
  listed: "o.listed_mask",
  sampled: "o.sampled_mask",
  verified: "o.verified_mask",
};

export default copies;
