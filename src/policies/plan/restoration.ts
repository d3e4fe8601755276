import type { ReadSession } from "#model/sql.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { booleanType } from "#policies/expression/value-type.ts";
import { confidenceColumn, maskOf, maskSql } from "#policies/plan/mask-sql.ts";
import { matched, rulesOf } from "#policies/plan/match-words.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { lacksCopies } from "#policies/plan/spread.ts";
import { joinFragments, sql, toStatement, trusted } from "#policies/sql-fragment.ts";

/** Name under which the global minimum stands beside the policies when copies are restored. */
const minimumRule = "safety/minimum-copies";

/** The policies and, last of all, the global minimum of verified copies as one more ensure. */
export function withMinimum(set: CompiledPolicySet, minimumCopies: number): CompiledPolicySet {
  const span = { source: "", start: 0, end: 0 };
  const minimum: CompiledPolicySet["rules"][number] = {
    id: minimumRule,
    policy: "safety",
    place: "safety.minimumCopies",
    where: trusted("o.tombstoned IS NULL"),
    whereByName: undefined,
    expression: { kind: "literal", value: true, type: booleanType, span },
    verb: {
      kind: "ensure",
      copies: { min: Math.max(1, minimumCopies), max: undefined },
      on: maskOf(set.moment.backends),
      confidence: "verified",
      per: undefined,
    },
    order: [],
    limit: { objects: undefined, bytes: undefined },
  };
  return { ...set, rules: [...set.rules, minimum] };
}

/** Leaves of the drafts only plain copies; which objects would have moved is kept aside. */
export async function keepNewCopies(planning: Planning): Promise<void> {
  await planning.run(
    trusted(`CREATE OR REPLACE TEMP TABLE plan_moving AS SELECT DISTINCT object_id
    FROM plan_draft WHERE verb <> 'replicate' AND target IS NOT NULL`),
  );
  await planning.run(trusted("DELETE FROM plan_draft WHERE verb <> 'replicate'"));
}

/** How one object stands after its restoration was planned. */
export interface Restored {
  readonly objectId: number;
  /** Copies believed intact, on any backend. */
  readonly copies: number;
  /** The plan makes a copy of it. */
  readonly planned: boolean;
  /** Another run makes a copy, or the policies move one. */
  readonly underWay: boolean;
  /** The first rule whose copies are not all there, or under way, even so. */
  readonly lacking: string | undefined;
}

/** Reads how these objects stand from the session in which they were just planned. */
export async function restorations(
  set: CompiledPolicySet,
  session: ReadSession,
  objects: readonly number[],
): Promise<readonly Restored[]> {
  const arms = rulesOf(set.rules, "ensure").map(({ index, rule, verb }) => {
    const held = sql`(c.${trusted(confidenceColumn(verb.confidence))} | c.added
      | c.in_flight_mask) & ${maskSql(verb.on)}`;
    const lacks = lacksCopies(set.moment, verb, held);
    return sql`WHEN ${matched(index)} AND ${lacks} THEN ${rule.id}`;
  });
  const lacking =
    arms.length === 0 ? trusted("NULL::VARCHAR") : sql`CASE ${joinFragments(arms, " ")} END`;
  const rows = await session.rows(
    toStatement(sql`SELECT o.object_id, bit_count(o.present_mask)::INTEGER AS copies,
      o.object_id IN (SELECT object_id FROM plan_draft) AS planned,
      o.in_flight_mask <> 0 OR o.object_id IN (SELECT object_id FROM plan_moving) AS under_way,
      ${lacking} AS lacking
    FROM object o LEFT JOIN plan_candidate c ON c.object_id = o.object_id
    WHERE o.object_id IN (SELECT unnest(${trusted(`[${objects.join()}]::BIGINT[]`)}))
    ORDER BY o.object_id`),
  );
  return rows.map((row) => ({
    objectId: Number(row["object_id"]),
    copies: Number(row["copies"]),
    planned: row["planned"] === true,
    underWay: row["under_way"] === true,
    lacking: (row["lacking"] as string | null) ?? undefined,
  }));
}
