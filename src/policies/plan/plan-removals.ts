import { fillTargets, targetChoice, targetOf } from "#policies/plan/choose-target.ts";
import {
  judgeRemovals,
  primaryVictim,
  type RemovalRule,
  targetsOf,
  wantRemovals,
} from "#policies/plan/judge-removals.ts";
import { leaseRules } from "#policies/plan/lease.ts";
import { CutToNeed, leaveAbove } from "#policies/plan/cut-to-need.ts";
import { backendsIn, bitOf } from "#policies/plan/mask-sql.ts";
import { rulesOf } from "#policies/plan/match-words.ts";
import { addDrafts } from "#policies/plan/draft.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { substituteBackends } from "#policies/plan/substitute-target.ts";
import { takeTurns } from "#policies/plan/take-turns.ts";
import { isBounded } from "#policies/removal-bound.ts";
import { forgetLosses, refuseLosses } from "#policies/price/refuse-losses.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * Plans evict and demote rules in set order, on the copies that are there. A demote is whole or
 * not at all: no copy is made on its target when the one at its source could not go afterwards.
 */
export async function planRemovals(planning: Planning): Promise<void> {
  for (const rule of removalRules(planning)) await planRemoval(planning, rule);
}

/** Evict and demote rules in set order; with a mark, one for each backend that is above its. */
function removalRules(planning: Planning): readonly RemovalRule[] {
  return rulesOf(planning.rules, "evict", "demote").flatMap((rule): readonly RemovalRule[] => {
    const { free } = rule.verb;
    if (free === undefined) return [rule];
    return free.map((one, at) => ({
      ...rule,
      verb: { ...rule.verb, from: bitOf(one.backend), free: [one] },
      ...(at === 0 ? {} : { further: true }),
    }));
  });
}

/**
 * Judges again what was kept because of other rules, now that these have got their copies: what
 * one rule makes or gives up may change what another can do, until nothing moves any more. What
 * was made on a backend that is to be brought down to its mark, or on the account of an owner
 * beyond a quota, has to be freed as well.
 */
export async function planKeptRemovals(planning: Planning): Promise<void> {
  const rules = removalRules(planning);
  // Each pass but the last empties a backend of some object's copy.
  for (let pass = 0; pass <= planning.backends.length; pass += 1) {
    const kept = planning.blocked.all.filter(
      ({ reason }) => reason === "ensure" || reason === "minimum-copies",
    );
    const again = new Set(kept.map(({ ruleIndex }) => ruleIndex));
    for (const index of await outgrownRules(planning, rules)) again.add(index);
    let turns = 0;
    for (const rule of rules) if (again.has(rule.index)) turns += await planRemoval(planning, rule);
    if (turns === 0) return;
  }
}

/** Rules that free what is needed of backends on which the plan puts copies. */
async function outgrownRules(
  planning: Planning,
  rules: readonly RemovalRule[],
): Promise<readonly number[]> {
  const bounded = rules.filter(({ verb }) => isBounded(verb));
  if (bounded.length === 0) return [];
  const [made] = await planning.rows(
    trusted("SELECT coalesce(bit_or(1::BIGINT << target), 0) AS targets FROM plan_draft"),
  );
  const targets = BigInt(made?.["targets"] as number | bigint);
  return bounded.flatMap(({ index, verb }) => ((verb.from & targets) === 0n ? [] : [index]));
}

/** Gives up the copies that rules wanted for a time, when it is over. */
export async function planEndedLeases(planning: Planning): Promise<void> {
  for (const { index, rule, on } of leaseRules(planning.rules)) {
    await planRemoval(planning, { index, rule, verb: { kind: "evict", from: on }, ended: true });
  }
}

/** Judges one rule; answers on how many objects it acts. */
async function planRemoval(planning: Planning, rule: RemovalRule): Promise<number> {
  // What an ended rule lacked of its copies is another matter than what it gives up.
  if (rule.ended === undefined && rule.further === undefined) {
    planning.blocked.forget(rule.index);
    await forgetLosses(planning, rule.index);
  }
  const targets = targetsOf(rule) | substituteBackends(planning, rule);
  const choice = targetChoice(planning, targets, rule.verb.kind === "demote" ? rule.verb : {});
  const want = wantRemovals(planning, rule, choice, await planning.candidates());
  const target = sql`CASE WHEN t.needs = 1 THEN ${targetOf(planning, choice)} END`;
  const placed = sql`SELECT t.*, ${target} AS target FROM (${want}) t`;
  await planning.table("plan_want", judgeRemovals(planning, rule, placed));
  // What was wanted for a time goes when it is over.
  if (rule.ended === undefined) {
    await refuseLosses(planning, rule.index, primaryVictim(planning, rule, "w"));
  }
  const cut = isBounded(rule.verb) ? new CutToNeed(planning, rule) : undefined;
  const turns = await takeTurns(planning, rule.index, cut);
  if (cut?.isDone !== true) await leaveAbove(planning, rule);
  if (turns === 0) return 0;
  if (choice.open.some(({ id }) => planning.room.has(id))) await fill(planning, rule);
  await draft(planning, rule);
  return turns;
}

async function fill(planning: Planning, rule: RemovalRule): Promise<void> {
  await planning.table(
    "plan_pick",
    trusted(`SELECT object_id, position, size, target,
      CASE WHEN (present_mask >> target) & 1 = 1 THEN 0 ELSE size END AS cost
    FROM plan_turn WHERE target IS NOT NULL`),
  );
  await fillTargets(planning, rule.index);
  await planning.run(
    trusted(`DELETE FROM plan_turn WHERE target IS NOT NULL
    AND object_id NOT IN (SELECT object_id FROM plan_pick)`),
  );
}

/** A move takes the copy at its source with it; other copies that go are actions of their own. */
async function draft(planning: Planning, rule: RemovalRule): Promise<void> {
  const { index, verb } = rule;
  const moves = sql`t.target IS NOT NULL AND b.id = ${primaryVictim(planning, rule, "t")}`;
  const rest = trusted(`CASE WHEN t.target IS NULL THEN '${verb.kind}' ELSE 'evict' END`);
  planning.mayWait ||= planning.adds;
  await addDrafts(
    planning,
    planning.nextStep(),
    {
      rule: index,
      position: trusted("t.position"),
      part: sql`CASE WHEN ${moves} THEN 0 ELSE 1 + b.id END`,
      object_id: trusted("t.object_id"),
      verb: sql`CASE WHEN ${moves} THEN 'demote' ELSE ${rest} END`,
      source: sql`CASE WHEN ${moves} THEN t.source END`,
      target: sql`CASE WHEN ${moves} THEN t.target END`,
      victim: trusted("b.id"),
      had: trusted("bit_count(t.present_mask)"),
      depends: trusted(planning.adds ? "(t.depends >> b.id) & 1 = 1" : "false"),
      size: trusted("t.size"),
      writes: sql`${moves} AND (t.present_mask >> t.target) & 1 = 0`,
      words: "t",
    },
    sql`plan_turn t, (SELECT unnest(${idList(planning, verb.from)})::INTEGER AS id) b
      WHERE (t.gone >> b.id) & 1 = 1`,
  );
  planning.change({ adds: verb.kind === "demote" });
}

function idList(planning: Planning, mask: bigint): SqlFragment {
  return trusted(
    `[${backendsIn(mask, planning.backends)
      .map(({ id }) => id)
      .join(", ")}]`,
  );
}
