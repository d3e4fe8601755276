import type { Explanation, RuleExplanation } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { BlockReason, Verb } from "#model/plan.ts";
import type { ReadSession, SqlRow } from "#model/sql.ts";
import { formatPlanLimits, type PlanLimits } from "#model/plan-limits.ts";
import type { CompiledPolicySet, CompiledRule } from "#policies/compiled-policy.ts";
import { actionWords, wordsOfBlock } from "#policies/explain/action-words.ts";
import { type Clause, clauseOf, testsIn } from "#policies/explain/clause.ts";
import { explainClauses } from "#policies/explain/explain-clauses.ts";
import { readLeasesOf } from "#policies/explain/lease-words.ts";
import { nextChange } from "#policies/explain/next-change.ts";
import { quarantineWords } from "#policies/explain/quarantine-words.ts";
import { readTests } from "#policies/explain/read-tests.ts";
import { type ObjectState, ruleResult } from "#policies/explain/rule-result.ts";
import { decideActions } from "#policies/plan/build-plan.ts";
import { rulesOf } from "#policies/plan/match-words.ts";
import { Planning } from "#policies/plan/planning.ts";
import { matchingRules } from "#policies/plan/scan-candidates.ts";
import { isBounded } from "#policies/removal-bound.ts";
import { sql, trusted } from "#policies/sql-fragment.ts";

/** What explain rests on: the same safety as the plan it speaks of. */
export interface ExplainOptions {
  readonly minimumCopies?: number;
  readonly headRoomShare?: number;
}

/**
 * Why the plan does, or does not do, something with one object. What it would do comes from the
 * planner itself, asked for this object alone; only limits and what other objects take
 * of a target's room are then left out, and the words say so.
 */
export async function explainObject(
  set: CompiledPolicySet,
  session: ReadSession,
  objectId: number,
  options: ExplainOptions = {},
): Promise<Pick<Explanation, "rules" | "conclusion" | "nextChange">> {
  const planning = new Planning(set, session, {
    minimumCopies: options.minimumCopies ?? 1,
    headRoomShare: options.headRoomShare ?? 0.05,
  });
  const matches = (await matchingRules(planning, [objectId])).get(objectId) ?? [];
  const clauses = set.rules.map((rule) => clauseOf(rule.expression));
  const tests = clauses.flatMap((clause, index) => {
    const kind = set.rules[index]?.verb.kind;
    const protective = kind === "hold" || kind === "ensure";
    return testsIn(clause).map((test) => [test, protective] as const);
  });
  const readings = await readTests(session, set.moment, objectId, tests);
  await decideActions(planning, { objects: [objectId] });
  const state = await objectState(planning, objectId, matches);
  const facts = { moment: set.moment, readings };
  const rules = set.rules.map((rule, index): RuleExplanation => ({
    rule: rule.id,
    place: rule.place,
    verb: rule.verb.kind,
    matched: matches[index] === true,
    result: ruleResult(set, index, state),
    clauses: explainClauses(clauses[index] as Clause, facts),
  }));
  return {
    rules,
    conclusion: [...conclude(set, state), ...(await quarantineWords(planning, objectId))],
    nextChange: nextChange({ set, clauses, readings, state }),
  };
}

async function objectState(
  planning: Planning,
  objectId: number,
  matches: readonly boolean[],
): Promise<ObjectState> {
  const [object] = await planning.rows(sql`SELECT present_mask, verified_mask, listed_mask,
      sampled_mask, in_flight_mask, held, tombstoned
    FROM object WHERE object_id = ${objectId}::BIGINT`);
  if (object === undefined) {
    throw new EngineError("NOT_FOUND", `there is no object ${objectId} in the index`, {
      hint: "name it by its CID, a path or its number; `objects ls` lists some",
    });
  }
  const actions = await planning.rows(trusted("SELECT * FROM plan_row ORDER BY sequence"));
  const blocked = await planning.rows(
    trusted("SELECT rule_index, reason, detail FROM plan_blocked"),
  );
  const mask = (column: string) => BigInt(object[column] as number | bigint);
  const isHold = new Set(rulesOf(planning.rules, "hold").map(({ index }) => index));
  return {
    matches,
    names: new Map(planning.backends.map(({ id, name }) => [id, name])),
    masks: {
      claimed: mask("present_mask"),
      listed: mask("listed_mask"),
      sampled: mask("sampled_mask"),
      verified: mask("verified_mask"),
    },
    inFlight: mask("in_flight_mask"),
    held: object["held"] === true || matches.some((match, index) => match && isHold.has(index)),
    tombstoned: object["tombstoned"] instanceof Date ? object["tombstoned"] : undefined,
    leases: await readLeasesOf(planning, objectId),
    actions: actions.map(toAction),
    blocked: blocked.map((row) => ({
      ruleIndex: Number(row["rule_index"]),
      reason: row["reason"] as BlockReason,
      detail: typeof row["detail"] === "string" ? row["detail"] : undefined,
    })),
  };
}

function toAction(row: SqlRow): ObjectState["actions"][number] {
  const backend = (column: string) => (row[column] === null ? null : Number(row[column]));
  return {
    verb: row["verb"] as Verb,
    ruleIndex: Number(row["rule_index"]),
    source: backend("source"),
    target: backend("target"),
    victim: backend("victim"),
  };
}

/** Limits under which an action stands: they may leave it for a later plan. */
function limitWords({ limit, policy, verb }: CompiledRule, limits: PlanLimits): string {
  const isPart = (verb.kind === "evict" || verb.kind === "demote") && isBounded(verb);
  const bounds = [
    ...(isPart ? ["what is needed, in the order of the rule"] : []),
    ...(limit.objects === undefined && limit.bytes === undefined ? [] : ["the limit of the rule"]),
    ...(Object.keys(limits).length === 0
      ? []
      : [`the limits of policy ${policy} (${formatPlanLimits(limits)})`]),
  ];
  return bounds.length === 0 ? "" : `, within ${bounds.join(" and ")}`;
}

/** What the plan would do with the object now, and what it could not be given. */
function conclude(
  { rules, limits }: CompiledPolicySet,
  { matches, actions, blocked, names }: ObjectState,
): readonly string[] {
  const done = actions.map((action) => {
    const rule = rules[action.ruleIndex];
    const within = rule === undefined ? "" : limitWords(rule, limits[rule.policy] ?? {});
    return `${action.verb}: ${actionWords(action, names)} (${rule?.id}${within})`;
  });
  const refused = blocked.map(
    (block) => `blocked: ${rules[block.ruleIndex]?.id}, because ${wordsOfBlock(block)}`,
  );
  if (done.length + refused.length > 0) return [...done, ...refused];
  return [
    matches.includes(true)
      ? "nothing: every rule that matches has what it wants"
      : "nothing: no rule matches",
  ];
}
