import { CID } from "multiformats/cid";
import {
  type ObjectCount,
  type PlanDiff,
  type PlanDifference,
  planDifferences,
  type RuleDiff,
} from "#model/plan-diff.ts";
import type { ReadSession, SqlRow } from "#model/sql.ts";
import {
  joinFragments,
  sql,
  type SqlFragment,
  toStatement,
  trusted,
} from "#policies/sql-fragment.ts";

/** Parquet files with the rows of two plans, and the names of backends in them. */
export interface ComparedRows {
  readonly from: string;
  readonly to: string;
  readonly backends: readonly { readonly id: number; readonly name: string }[];
  readonly samples: number;
}

/**
 * Compares the rows of two plans by object and rule. Objects are the same when their CIDs are,
 * so that plans of different indexes can be compared. From where a copy is read is no difference.
 */
export async function compareRows(
  session: ReadSession,
  rows: ComparedRows,
): Promise<Pick<PlanDiff, "objects" | "rules">> {
  await session.run(toStatement(comparison("plan_diff_object", rows, trusted("''"))));
  await session.run(toStatement(comparison("plan_diff_rule", rows, trusted("rule"))));
  const counts = await session.rows(
    toStatement(
      trusted(`SELECT difference, count(*) AS objects, sum(size)::BIGINT AS bytes
      FROM plan_diff_object GROUP BY difference`),
    ),
  );
  const countOf = (difference: string): ObjectCount => {
    const row = counts.find((one) => one["difference"] === difference);
    return { objects: Number(row?.["objects"] ?? 0), bytes: Number(row?.["bytes"] ?? 0) };
  };
  return {
    objects: {
      gained: countOf("gained"),
      lost: countOf("lost"),
      changed: countOf("changed"),
      same: countOf("same"),
    },
    rules: await ruleDiffs(session, rows.samples),
  };
}

/** `difference`, and the effects of both plans, by object and by `group`. */
function comparison(table: string, rows: ComparedRows, group: SqlFragment): SqlFragment {
  return sql`CREATE OR REPLACE TEMP TABLE ${trusted(table)} AS
    SELECT coalesce(a.cid, b.cid) AS cid, coalesce(a.size, b.size) AS size,
      coalesce(a.rule, b.rule) AS rule, coalesce(a.effects, []) AS before,
      coalesce(b.effects, []) AS after,
      CASE WHEN a.cid IS NULL THEN 'gained' WHEN b.cid IS NULL THEN 'lost'
        WHEN a.effects = b.effects THEN 'same' ELSE 'changed' END AS difference
    FROM (${effects(rows.from, rows, group)}) a
    FULL JOIN (${effects(rows.to, rows, group)}) b ON a.cid = b.cid AND a.rule = b.rule`;
}

function effects(file: string, { backends }: ComparedRows, group: SqlFragment): SqlFragment {
  const arms = backends.map(({ id, name }) => sql`WHEN ${id}::INTEGER THEN ${name}`);
  const nameOf = (column: SqlFragment) =>
    arms.length === 0
      ? sql`${column}::VARCHAR`
      : sql`CASE ${column} ${joinFragments(arms, " ")} ELSE ${column}::VARCHAR END`;
  return sql`SELECT cid, ${group} AS rule, any_value(size) AS size,
      list_sort(list(concat(verb, coalesce(' to ' || ${nameOf(trusted("target"))}, ''),
        coalesce(' from ' || ${nameOf(trusted("victim"))}, '')))) AS effects
    FROM read_parquet(${file}) GROUP BY ALL`;
}

async function ruleDiffs(session: ReadSession, samples: number): Promise<readonly RuleDiff[]> {
  const counts = await session.rows(
    toStatement(
      trusted(`SELECT rule, difference, count(*) AS objects, sum(size)::BIGINT AS bytes
      FROM plan_diff_rule WHERE difference <> 'same' GROUP BY rule, difference`),
    ),
  );
  const shown = await session.rows(
    toStatement(sql`SELECT s.rule, s.difference, s.cid, s.size, o.path,
        to_json(s.before)::VARCHAR AS before, to_json(s.after)::VARCHAR AS after
      FROM (SELECT * FROM plan_diff_rule WHERE difference <> 'same'
        QUALIFY row_number() OVER (PARTITION BY rule, difference ORDER BY size DESC, cid)
          <= ${samples}::BIGINT) s
      LEFT JOIN object o ON o.cid = s.cid
      ORDER BY s.size DESC, s.cid`),
  );
  return counts
    .map((row) => ruleDiff(row, shown))
    .toSorted((a, b) => (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : rank(a) - rank(b)));
}

function rank({ difference }: RuleDiff): number {
  return planDifferences.indexOf(difference);
}

function ruleDiff(row: SqlRow, shown: readonly SqlRow[]): RuleDiff {
  const own = shown.filter(
    (one) => one["rule"] === row["rule"] && one["difference"] === row["difference"],
  );
  return {
    rule: row["rule"] as string,
    difference: row["difference"] as PlanDifference,
    objects: Number(row["objects"]),
    bytes: Number(row["bytes"]),
    samples: own.map((one) => ({
      cid: CID.decode(one["cid"] as Uint8Array).toString(),
      ...(typeof one["path"] === "string" ? { path: one["path"] } : {}),
      size: Number(one["size"]),
      from: JSON.parse(one["before"] as string) as readonly string[],
      to: JSON.parse(one["after"] as string) as readonly string[],
    })),
  };
}
