import type { Explanation, RuleExplanation } from "#model/explanation.ts";
import type { ReadSession } from "#model/sql.ts";
import { type BudgetState, budgetWords } from "#model/budget.ts";
import { formatPlanLimits, type PlanLimits } from "#model/plan-limits.ts";
import type { CompiledPolicySet, CompiledRule } from "#policies/compiled-policy.ts";
import { actionWords, wordsOfBlock } from "#policies/explain/action-words.ts";
import type { AnnouncedAction } from "#policies/explain/announced-action.ts";
import { type Clause, clauseOf, testsIn } from "#policies/explain/clause.ts";
import { explainClauses } from "#policies/explain/explain-clauses.ts";
import { lockWords, readLocks } from "#policies/explain/lock-words.ts";
import { nextChange } from "#policies/explain/next-change.ts";
import { stateAmongOthers } from "#policies/explain/object-state.ts";
import { quarantineWords } from "#policies/explain/quarantine-words.ts";
import { readTests } from "#policies/explain/read-tests.ts";
import {
  aheadWords,
  type ObjectState,
  ruleResult,
  rulesWaiting,
} from "#policies/explain/rule-result.ts";
import { sameStorageWords } from "#policies/explain/same-storage-words.ts";
import { isReadable } from "#policies/plan/copy-source.ts";
import { backendsIn } from "#policies/plan/mask-sql.ts";
import { budgetState, openBudgets, planBudgets } from "#policies/plan/plan-budgets.ts";
import { Planning } from "#policies/plan/planning.ts";
import { matchingRules } from "#policies/plan/scan-candidates.ts";

/** What explain rests on: the same safety as the plan it speaks of. */
export interface ExplainOptions {
  readonly minimumCopies?: number;
  readonly headRoomShare?: number;
}

/** The answer, and the actions that it announces. */
export interface ExplainedObject extends Pick<Explanation, "rules" | "conclusion" | "nextChange"> {
  readonly announced: readonly AnnouncedAction[];
}

/**
 * Why the plan does, or does not do, something with one object. What it would do comes from the
 * planner itself, asked for this object alone, and then for the others whose fate it shares: its
 * collection, or all objects where a rule frees only what is needed. Else limits and what other
 * objects take of a target's room are left out, and the words say so.
 */
export async function explainObject(
  set: CompiledPolicySet,
  session: ReadSession,
  objectId: number,
  options: ExplainOptions = {},
): Promise<ExplainedObject> {
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
  const state = await stateAmongOthers(planning, objectId, matches);
  const budgets = (await openBudgets(planning, planBudgets(planning, {}))).map(budgetState);
  const facts = { moment: set.moment, readings };
  const rules = set.rules.map((rule, index): RuleExplanation => ({
    rule: rule.id,
    place: rule.place,
    verb: rule.verb.kind,
    matched: matches[index] === true,
    result: ruleResult(set, index, state),
    clauses: explainClauses(clauses[index] as Clause, facts),
  }));
  const locks = await readLocks(planning, objectId);
  return {
    rules,
    conclusion: [
      ...conclude(set, state, budgets),
      ...locks.map(lockWords),
      ...sameStorageWords(planning, state.masks.claimed),
      ...(await quarantineWords(planning, objectId)),
    ],
    nextChange: nextChange({ set, clauses, readings, state, locks }),
    announced: announcedActions(set, state),
  };
}

function announcedActions(
  { rules, moment }: CompiledPolicySet,
  { actions, names, masks }: ObjectState,
): readonly AnnouncedAction[] {
  const name = (id: number | null) => (id === null ? null : (names.get(id) ?? null));
  const readable = backendsIn(masks.claimed, moment.backends.filter(isReadable));
  return actions.map(({ ruleIndex, verb, source, target, victim }) => ({
    policy: rules[ruleIndex]?.policy ?? "",
    verb,
    source: name(source),
    target: name(target),
    victim: name(victim),
    otherSources: readable
      .filter(({ id }) => id !== source && id !== target)
      .map((backend) => backend.name),
  }));
}

/** Limits under which an action stands: they may leave it for a later plan. */
function limitWords(
  { limit, policy }: CompiledRule,
  limits: PlanLimits,
  budgets: readonly BudgetState[],
): string {
  const states = budgets.filter((budget) => budget.policy === policy).map(budgetWords);
  const { budget: _budget, ...others } = limits;
  const own = formatPlanLimits(states.length === 0 ? limits : others);
  const bounds = [
    ...(limit.objects === undefined && limit.bytes === undefined ? [] : ["the limit of the rule"]),
    ...(own === "" ? [] : [`the limits of policy ${policy} (${own})`]),
    ...states.map((words) => `the budget of policy ${policy} (${words})`),
  ];
  return bounds.length === 0 ? "" : `, within ${bounds.join(" and ")}`;
}

/** What the plan would do with the object now, and what it could not be given. */
function conclude(
  set: CompiledPolicySet,
  state: ObjectState,
  budgets: readonly BudgetState[],
): readonly string[] {
  const { rules, limits } = set;
  const { matches, actions, blocked, names, incomplete, ahead } = state;
  const done = actions.map((action) => {
    const rule = rules[action.ruleIndex];
    const within = rule === undefined ? "" : limitWords(rule, limits[rule.policy] ?? {}, budgets);
    return `${action.verb}: ${actionWords(action, names, rule?.verb)} (${rule?.id}${within})`;
  });
  const refused = blocked.map(
    (block) => `blocked: ${rules[block.ruleIndex]?.id}, because ${wordsOfBlock(block)}`,
  );
  const turns = [...ahead].filter(([, objects]) => objects > 0);
  const waits = [
    ...[...incomplete, ...rulesWaiting(set, state)].map(
      ([index, words]) => `waits: ${rules[index]?.id}, because ${words}`,
    ),
    ...turns.map(
      ([index, objects]) => `waits: ${rules[index]?.id}, because ${aheadWords(objects)}`,
    ),
  ];
  const said = [...done, ...refused, ...waits];
  if (said.length > 0) return said;
  return [
    matches.includes(true)
      ? "nothing: every rule that matches has what it wants"
      : "nothing: no rule matches",
  ];
}
