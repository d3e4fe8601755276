import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import {
  type ActiveMark,
  activeMarks,
  gatherFirst,
  type Guess,
  usualGuess,
} from "#policies/explain/first-objects.ts";
import { isIndependent } from "#policies/explain/independence.ts";
import { mayChange } from "#policies/explain/rule-reach.ts";
import { decideActions } from "#policies/plan/build-plan.ts";
import { groupRules } from "#policies/plan/group.ts";
import { bitOf } from "#policies/plan/mask-sql.ts";
import { rulesOf } from "#policies/plan/match-words.ts";
import { Planning } from "#policies/plan/planning.ts";
import { readTests, type RuleTests } from "#policies/plan/scan-candidates.ts";
import { sifting } from "#policies/plan/sifting.ts";
import { namesOver, quotaName, readUsage } from "#policies/plan/used-by.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** So many more objects are looked at each time that the first ones do not free what is needed. */
const growth = 8;
/** With more of them, or more than a share of all, it costs less to plan for all objects at once. */
const firstMax = { objects: 1_000_000, share: 0.1 };

/**
 * What the planner decides on one object whose rules free only what is needed, as in a plan of all
 * objects. It is asked for all of them only where fewer would not do: of a quota those who share
 * it, of a mark those that come first in the order of the rule, and what else comes and goes there.
 */
export async function planCompetitors(
  planning: Planning,
  objectId: number,
  { atLeast = 1_000, guess = usualGuess }: { readonly atLeast?: number; guess?: Guess } = {},
): Promise<Planning> {
  const { set, session, safety, rules } = planning;
  // What keeps back a collection may be anywhere in it.
  if (groupRules(rules).length === 0) {
    const sharing = await sharesQuota(planning, objectId);
    const marks = sharing === undefined ? await activeMarks(planning, atLeast) : [];
    const most = await mostFirst(planning);
    for (let turn = 1; marks.every(({ first }) => first * turn <= most); turn *= growth) {
      // A plan of fewer objects leaves the names and the usage of only these behind.
      const tests = await readTests(planning);
      await readUsage(planning);
      const seen = await gatherFirst(planning, tests, marks, turn, guess);
      const chosen = sharing ?? (await gatherNear(planning, tests, marks, objectId));
      if (!(await isIndependent(planning, tests, chosen))) break;
      const few = new Planning(set, session, safety);
      // What limits of policies leave over goes by the order of all that is planned.
      if (!hasLimits(set)) few.anyOrder = guess;
      const isShort = watchNeeds(few, seen);
      await decideActions(few, { objects: chosen });
      if (!isShort()) return few;
    }
  }
  const all = new Planning(set, session, safety);
  await decideActions(all);
  return all;
}

async function mostFirst(planning: Planning): Promise<number> {
  const [row] = await planning.rows(trusted("SELECT count(*) AS objects FROM object"));
  return Math.max(firstMax.objects, Number(row?.["objects"]) * firstMax.share);
}

function hasLimits({ limits }: CompiledPolicySet): boolean {
  return Object.values(limits).some((one) => Object.keys(one).length > 0);
}

/** Over `o`: those whose objects share its quota, where nothing but quotas of their kind bounds rules. */
async function sharesQuota(planning: Planning, objectId: number): Promise<SqlFragment | undefined> {
  const bounded = rulesOf(planning.rules, "evict", "demote").map(({ verb }) => verb);
  if (bounded.some(({ free }) => free !== undefined && free.length > 0)) return undefined;
  const kinds = new Set(bounded.flatMap(({ quota }) => quota?.per ?? []));
  const [per] = kinds;
  if (per === undefined || kinds.size > 1) return undefined;
  const [row] = await planning.rows(sql`SELECT ${quotaName(per)} AS name FROM object o
    WHERE o.object_id = ${objectId}::BIGINT`);
  const name = row?.["name"] as string | null | undefined;
  // Without a name it shares no quota: nothing of it is given up for one.
  if (name === null || name === undefined) return sql`o.object_id = ${objectId}::BIGINT`;
  return sql`${quotaName(per)} = ${name}::VARCHAR`;
}

/** Over `o`: the object, the first ones, and those that make more or less of what is to be freed. */
async function gatherNear(
  planning: Planning,
  tests: RuleTests,
  marks: readonly ActiveMark[],
  objectId: number,
): Promise<SqlFragment> {
  const near = planning.rules.flatMap(({ verb }, index) => {
    const isRemoval = verb.kind === "evict" || verb.kind === "demote";
    if (isRemoval && verb.quota !== undefined) {
      return [sql`${quotaName(verb.quota.per)} IN (${namesOver(index)})`];
    }
    if (isRemoval && verb.free !== undefined) return [];
    const backends = new Set(marks.map(({ backend }) => backend));
    return [...backends].flatMap((backend) => mayChange(planning, tests, index, backend) ?? []);
  });
  const others =
    near.length === 0
      ? trusted("")
      : sql`UNION SELECT o.object_id FROM ${tests.from} WHERE ${joinFragments(near, "\nOR ")}`;
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_near AS
    SELECT ${objectId}::BIGINT AS object_id UNION SELECT object_id FROM plan_first ${others}`);
  return sql`o.object_id IN (SELECT object_id FROM ${sifting("plan_near")})`;
}

/** Notes whether the first objects of a rule, which are not all of its, ever free too little. */
function watchNeeds(planning: Planning, cut: readonly ActiveMark[]): () => boolean {
  let isShort = false;
  planning.beforeCut = async (rule, backend, turns) => {
    const mark = cut.find((one) => one.rule === rule && bitOf(one.backend) === backend);
    if (mark === undefined) return;
    const freed =
      turns === undefined
        ? trusted("0")
        : sql`(SELECT coalesce(sum(t.size * bit_count(t.gone)), 0) FROM ${turns} t
            SEMI JOIN plan_first f ON f.object_id = t.object_id
              AND f.rule = ${rule}::INTEGER AND f.backend = ${mark.backend}::INTEGER)`;
    const [row] = await planning.rows(sql`SELECT ${freed} >= bytes AS enough FROM plan_need`);
    isShort ||= row?.["enough"] !== true;
  };
  return () => isShort;
}

/** Objects on which such a rule acts; with a quota, of the owner or collection of this one. */
export async function countAhead(
  planning: Planning,
  objectId: number,
  index: number,
): Promise<number> {
  const rule = rulesOf(planning.rules, "evict", "demote").find((one) => one.index === index);
  const per = rule?.verb.quota?.per;
  const same =
    per === undefined
      ? trusted("")
      : sql`AND d.object_id IN (SELECT o.object_id FROM object o WHERE ${quotaName(per)}
          = (SELECT ${quotaName(per)} FROM object o WHERE o.object_id = ${objectId}::BIGINT))`;
  const [row] = await planning.rows(sql`SELECT count(DISTINCT d.object_id) AS objects
    FROM plan_draft d WHERE d.rule = ${index}::INTEGER ${same}`);
  return Number(row?.["objects"] ?? 0);
}
