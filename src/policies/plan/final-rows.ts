import type { Backend } from "#model/backend.ts";
import { formatDuration, formatSize } from "#model/quantity.ts";
import { verbs } from "#model/plan.ts";
import type { SqlStatement } from "#model/sql.ts";
import type { CompiledPolicySet, CompiledRule } from "#policies/compiled-policy.ts";
import { copyPromises, requirementOf } from "#policies/plan/copy-promise.ts";
import { leaseRules } from "#policies/plan/lease.ts";
import { maskSql } from "#policies/plan/mask-sql.ts";
import { matched, wordNames } from "#policies/plan/match-words.ts";
import { withSameBits } from "#policies/plan/one-storage.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { sifting } from "#policies/plan/sifting.ts";
import type { CompiledBounds } from "#policies/removal-bound.ts";
import { runWords } from "#policies/run-actions/run-actions.ts";
import {
  joinFragments,
  sql,
  type SqlFragment,
  toStatement,
  trusted,
} from "#policies/sql-fragment.ts";

/**
 * `plan_row`: the drafts as rows of the plan, without what only the object knows, without texts,
 * and in no order but with what gives them one (`rowOrder`).
 */
export async function gatherRows(planning: Planning): Promise<void> {
  const { rules } = planning;
  const words = wordNames(rules).map((word) => `, d.${word}`);
  await planning.run(
    sql`CREATE OR REPLACE TEMP VIEW plan_row AS
      SELECT ${place(rules)} AS place, d.position, d.object_id, d.verb, d.size, d.source, d.target,
      d.victim, d.rule AS rule_index, d.had, d.writes${trusted(words.join(""))}
    FROM plan_draft d`,
  );
}

/**
 * The order of `plan_row`: actions that share verb, backends and policy stand together, so that a
 * run can cut large batches; among them the order of their rule holds. Removals that rest on
 * other actions of the plan come last.
 */
export const rowOrder = trusted("place, position, object_id");

/**
 * What comes before the order within a rule, as one number that sorts like its parts one after
 * the other: what rests on other actions, step, verb, source, target, victim and policy.
 */
function place(rules: readonly CompiledRule[]): SqlFragment {
  const names = verbs.toSorted().map((verb) => `'${verb}'`);
  const verb = `list_position([${names.join(", ")}], d.verb)::BIGINT`;
  const backends = ["source", "target", "victim"].map((one) => `coalesce(d.${one} + 1, 0)::BIGINT`);
  const [source, target, victim] = backends;
  return sql`(d.depends::BIGINT << 62) + (d.step::BIGINT << 42) + ${trusted(
    `(${verb} << 38) + (${source} << 32) + (${target} << 26) + (${victim} << 20)`,
  )} + ${policyRank(rules)}`;
}

/**
 * All rows of the plan in their final form (`planColumns`), in order and numbered. They are sorted
 * only here; the texts are made after that, since millions of them would not fit into a sort. When
 * there are `many`, their objects are looked up without a sieve.
 */
export function rowsStatement({ rules, moment }: CompiledPolicySet, many = false): SqlStatement {
  const rows = many ? trusted("plan_row r JOIN") : sql`${sifting("plan_row")} r LEFT JOIN`;
  return toStatement(sql`SELECT row_number() OVER () - 1 AS sequence, c.verb, c.object_id, c.cid, c.size, c.profile,
      c.source, c.target, c.victim, (${ruleNames(rules)})[c.rule_index + 1] AS rule,
      ${reasons(rules)} AS reason, ${requirements(rules, moment.backends)} AS requirements
    FROM (SELECT r.* EXCLUDE (writes), o.cid, o.profile
      FROM ${rows} object o ON o.object_id = r.object_id
      ORDER BY ${rowOrder}) c`);
}

/** Name of a rule from its place in the set (`r.rule_index`). */
export function ruleName(rules: readonly CompiledRule[]): SqlFragment {
  return sql`(${ruleNames(rules)})[r.rule_index + 1]`;
}

/** The names of the rules in set order, as a list. */
export function ruleNames(rules: readonly CompiledRule[]): SqlFragment {
  const names = rules.map(({ id }) => sql`${id}`);
  return sql`[${joinFragments(names, ", ")}]::VARCHAR[]`;
}

/** The place of a rule's policy among the policies. */
function policyRank(rules: readonly CompiledRule[]): SqlFragment {
  const policies = rules.map(({ id }) => id.slice(0, id.indexOf("/")));
  const ranks = policies.map((policy) => `${policies.indexOf(policy)}`);
  return trusted(`([${ranks.join(", ")}]::BIGINT[])[d.rule + 1]`);
}

/** What must still hold after a removal: promises that count on the victim, as JSON. */
function requirements(rules: readonly CompiledRule[], backends: readonly Backend[]): SqlFragment {
  const arms = copyPromises(rules, backends).map((promise) => {
    // What goes from one name of a storage goes from all.
    const on = withSameBits({ backends }, promise.on);
    const text = JSON.stringify(requirementOf(promise));
    return sql`CASE WHEN ${matched(promise.index)} AND (c.rule_index = ${promise.index}::INTEGER
      OR (${maskSql(on)} >> c.victim) & 1 = 1) THEN ${text} END`;
  });
  if (arms.length === 0) return trusted("'[]'");
  return sql`CASE WHEN c.victim IS NULL OR c.verb = 'delete' THEN '[]'
    ELSE '[' || concat_ws(',', ${joinFragments(arms, ", ")}) || ']' END`;
}

/** Words that do not depend on the clock: the same change gets the same row at any time. */
function reasons(rules: readonly CompiledRule[]): SqlFragment {
  const arms = rules.map((rule, index) => sql`WHEN ${index}::INTEGER THEN ${reason(rule)}`);
  if (arms.length === 0) return trusted("''");
  const ensured = sql`concat('has ', c.had, CASE c.rule_index ${joinFragments(arms, " ")} END)`;
  const plain = sql`CASE c.rule_index ${joinFragments(arms, " ")} END`;
  const ensures = rules.flatMap(({ verb, because }, index) =>
    verb.kind === "ensure" && because === undefined ? [`${index}`] : [],
  );
  const counted = trusted(
    ensures.length === 0 ? "false" : `c.rule_index IN (${ensures.join(", ")})`,
  );
  const leased = leaseRules(rules).map(({ index, rule, forMs }) => {
    const isRange = rule.verb.kind === "ensure" && rule.verb.copies.max !== undefined;
    const words =
      `was wanted for ${formatDuration(forMs)}${isRange ? ", or is one too many" : ""}, ` +
      "and enough copies remain elsewhere";
    return sql`WHEN c.verb = 'evict' AND c.rule_index = ${index}::INTEGER THEN ${words}`;
  });
  return sql`CASE ${joinFragments(leased, " ")} WHEN c.verb = 'tombstone' THEN 'marked for deletion: ' || ${plain}
    WHEN c.verb = 'delete' THEN 'still matches after its grace: ' || ${plain}
    WHEN ${counted} THEN ${ensured} ELSE ${plain} END`;
}

function reason({ verb, because }: CompiledRule): string {
  if (because !== undefined) return because;
  switch (verb.kind) {
    case "ensure": {
      const { min, max } = verb.copies;
      const range = max === undefined ? `at least ${min}` : `${min} to ${max}`;
      const spread = verb.per === undefined ? "" : `, spread per ${verb.per}`;
      return ` ${verb.confidence} copies where ${range} are wanted${spread}`;
    }
    case "evict":
      return `${whyRemoved(verb) ?? "not wanted here"}, and enough copies remain elsewhere`;
    case "demote": {
      const why = whyRemoved(verb);
      const words = why === undefined ? "moves to a colder place" : `${why}: to a colder place`;
      return `${words}, with what other rules need kept`;
    }
    case "promote":
      return "gets a copy in a warmer place";
    case "delete":
      return `content that is to be deleted after ${formatDuration(verb.graceMs)}`;
    case "run":
      return runWords(verb.order);
    case "hold":
      break;
  }
  return "held";
}

/** Which bound of a rule a copy is beyond; undefined when it has none. */
function whyRemoved({ free, quota }: CompiledBounds): string | undefined {
  if (quota !== undefined) {
    return `its ${quota.per} has more than its quota of ${formatSize(quota.bytes)} here`;
  }
  return free === undefined ? undefined : "makes room here, down to the mark of the rule";
}
