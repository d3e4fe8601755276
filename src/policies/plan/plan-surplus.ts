import { mayGo, whyKept } from "#policies/plan/copy-promise.ts";
import { backendsIn, maskSql } from "#policies/plan/mask-sql.ts";
import { matched, type PlacedRule, rulesOf } from "#policies/plan/match-words.ts";
import { addDrafts } from "#policies/plan/draft.ts";
import { copiesOn, withSame } from "#policies/plan/one-storage.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { removableMask } from "#policies/plan/removable.ts";
import {
  objectPlace,
  rendezvousColumns,
  rendezvousDistance,
  rendezvousTable,
} from "#policies/plan/rendezvous.ts";
import { countRows, takeTurns } from "#policies/plan/take-turns.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

type EnsureRule = PlacedRule<"ensure">;

/**
 * Gives up copies beyond the maximum of ensure rules: unproven ones first, then those on the
 * most crowded value of `per`, then those that target choice would have made last.
 */
export async function planSurplus(planning: Planning): Promise<void> {
  for (const rule of rulesOf(planning.rules, "ensure")) {
    if (rule.verb.copies.max !== undefined) await planRule(planning, rule, rule.verb.copies.max);
  }
}

async function planRule(planning: Planning, rule: EnsureRule, max: number): Promise<void> {
  const { index, verb } = rule;
  const backends = backendsIn(verb.on & removableMask(planning), planning.backends);
  const there = copiesOn(
    planning,
    sql`((c.present_mask | c.added) & ~${withSame(planning, trusted("c.removed"))} & ${maskSql(verb.on)})`,
  );
  await planning.settle();
  await planning.table(
    "plan_surplus",
    sql`SELECT c.* REPLACE (${trusted(objectPlace)} AS place),
      ${there} - ${max}::INTEGER AS surplus, 0::BIGINT AS gone
    FROM plan_candidate c JOIN object o ON o.object_id = c.object_id
    WHERE ${matched(index)} AND ${there} > ${max}::INTEGER`,
  );
  // Each round gives up one copy per object; there are at most as many as backends.
  for (const _ of backends) {
    await planning.table("plan_pick", pickVictims(planning, rule));
    if ((await countRows(planning, "plan_pick")) === 0) break;
    await planning.run(
      trusted(`UPDATE plan_surplus
      SET gone = plan_surplus.gone | (1::BIGINT << p.victim)
      FROM plan_pick p WHERE p.object_id = plan_surplus.object_id`),
    );
  }
  const left = sql`(c.present_mask & ${maskSql(verb.on)} & ~(c.gone | c.removed))`;
  const state = { gained: trusted("c.added"), gone: trusted("(c.gone | c.removed)") };
  await planning.table(
    "plan_want",
    sql`SELECT c.*, c.gone <> 0 AS acts, c.size * bit_count(c.gone) AS bytes,
      CASE WHEN c.surplus <= bit_count(c.gone) THEN NULL WHEN c.held THEN 'held'
        ${planning.hasLocked ? sql`WHEN (${left} & c.locked) <> 0 THEN 'locked'` : trusted("")}
        WHEN (${left} & c.stuck_removals) <> 0 THEN 'quarantined'
        ELSE ${whyKept(planning, left, state)} END AS block
    FROM plan_surplus c`,
  );
  await planning.release("plan_surplus");
  if ((await takeTurns(planning, index)) > 0) await draft(planning, index);
}

function pickVictims(planning: Planning, { verb }: EnsureRule): SqlFragment {
  const backends = backendsIn(verb.on & removableMask(planning), planning.backends);
  const candidates = sql`c.present_mask & ~(c.removed | c.gone | c.added | c.stuck_removals | c.locked)
    & ${maskSql(verb.on)}`;
  const state = { gained: trusted("c.added"), gone: trusted("(c.removed | c.gone)") };
  return sql`SELECT c.object_id, arg_max(b.id,
      CASE WHEN (c.verified_mask & b.bit) <> 0 THEN 0 ELSE 65536 END
      + 256 * bit_count(c.present_mask & ~(c.removed | c.gone) & b.peers) + 2 * b.turn
      + ${rendezvousDistance("c.place", rendezvousColumns)}) AS victim
    FROM plan_surplus c, ${rendezvousTable(planning, backends, verb)} b
    WHERE NOT c.held AND c.surplus > bit_count(c.gone) AND (${candidates} & b.bit) <> 0
      AND ${mayGo(planning, trusted("b.bit"), state)}
    GROUP BY c.object_id`;
}

/** A surplus copy of an object that gains another one in this plan goes after that copy. */
async function draft(planning: Planning, index: number): Promise<void> {
  const ids = planning.backends.map(({ id }) => id).join(", ");
  planning.mayWait ||= planning.adds;
  await addDrafts(
    planning,
    planning.nextStep(),
    {
      rule: index,
      position: trusted("t.position"),
      part: trusted("1 + b.id"),
      object_id: trusted("t.object_id"),
      verb: trusted("'evict'"),
      victim: trusted("b.id"),
      had: trusted("bit_count(t.present_mask)"),
      depends: trusted("t.added <> 0"),
      size: trusted("t.size"),
      words: "t",
    },
    trusted(`plan_turn t, (SELECT unnest([${ids}])::INTEGER AS id) b
      WHERE (t.gone >> b.id) & 1 = 1`),
  );
  planning.change({ adds: false });
}
