import { objectsAllowed, type PlanLimits, shareText } from "#model/plan-limits.ts";
import { formatMoney } from "#model/money.ts";
import { formatSize } from "#model/quantity.ts";
import { groupRules, isGroupRule } from "#policies/plan/group.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { actionCost } from "#policies/price/action-cost.ts";
import { sharesOf } from "#policies/price/cost-sql.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** Limits and who set them, in words: `policy cool-down`, `this plan`. */
export interface NamedLimits {
  readonly of: string;
  readonly limits: PlanLimits;
}

/** What bounds a plan besides what its policies say of themselves. */
export interface AskedLimits {
  /** For all policies together (command line). */
  readonly plan?: PlanLimits | undefined;
  /** For what one policy does (trigger). */
  readonly policy?: (NamedLimits & { readonly policy: string }) | undefined;
}

/**
 * Cuts the drafts at the limits of each policy, and then at those of the plan. An object is done
 * whole or left for a later plan: in the order of the rules as they stand, then in that of its
 * rule. The first object that does not fit ends it, so that a later one never overtakes; an
 * object that alone is too large for all bytes is passed over, so that it cannot stand in the
 * way for ever.
 */
export async function limitDraft(planning: Planning, asked: AskedLimits): Promise<void> {
  const names = [...new Set(planning.rules.map(({ policy }) => policy))];
  for (const policy of names) {
    const own = planning.rules.flatMap((rule, index) =>
      rule.policy === policy ? [sql`${index}::INTEGER`] : [],
    );
    await cut(planning, sql`d.rule IN (${joinFragments(own, ", ")})`, [
      { of: `policy ${policy}`, limits: planning.set.limits[policy] ?? {} },
      ...(asked.policy?.policy === policy ? [asked.policy] : []),
    ]);
  }
  await cut(planning, trusted("true"), [{ of: "this plan", limits: asked.plan ?? {} }]);
}

/** The smallest bound of a kind, and what it is called. */
interface Bound {
  readonly most: number;
  readonly words: string;
}

async function cut(
  planning: Planning,
  own: SqlFragment,
  sources: readonly NamedLimits[],
): Promise<void> {
  const { objects, bytes, cost } = await smallest(planning, sources);
  if (objects === undefined && bytes === undefined && cost === undefined) return;
  const most: Most = {
    objects: atMost(objects?.most),
    bytes: atMost(bytes?.most),
    cost: cost && atMost(sharesOf(cost.most)),
  };
  const isDear = sql`cost > ${most.cost ?? atMost()}`;
  const isCut = sql`NOT fits OR objects > ${most.objects} OR bytes > ${most.bytes} OR ${isDear}`;
  const words = sql`CASE
    WHEN own_objects > ${most.objects} OR (fits AND objects > ${most.objects})
    THEN ${objects?.words ?? ""}
    WHEN own_bytes > ${most.bytes} OR (fits AND bytes > ${most.bytes})
    THEN ${bytes?.words ?? ""} ELSE ${cost?.words ?? ""} END`;
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_cut AS
    SELECT object_id, ${words} AS words
    FROM (${ranked(planning, own, most)}) WHERE ${isCut}`);
  // A removal that rests on another action of the plan goes with it, whoever wanted it.
  const gone = sql`(${own} OR (d.depends AND d.target IS NULL))`;
  await planning.run(sql`INSERT INTO plan_blocked
    SELECT rule, 'limit', count(*), sum(size)::BIGINT, words
    FROM (SELECT DISTINCT d.rule, d.object_id, c.size, x.words
      FROM plan_draft d JOIN plan_cut x ON x.object_id = d.object_id
      JOIN plan_candidate c ON c.object_id = d.object_id WHERE ${gone})
    GROUP BY rule, words`);
  await planning.run(sql`DELETE FROM plan_draft AS d
    WHERE ${gone} AND d.object_id IN (SELECT object_id FROM plan_cut)`);
}

/** Bounds as numbers of SQL; cost in shares of a dollar, and only where it is bounded. */
interface Most {
  readonly objects: SqlFragment;
  readonly bytes: SqlFragment;
  readonly cost: SqlFragment | undefined;
}

/** As text, since more than 64 bits can be no parameter; more than there can ever be if not said. */
function atMost(bound: number | bigint = 10n ** 37n): SqlFragment {
  return sql`${String(bound)}::HUGEINT`;
}

/** Objects with what all up to them would use; those of a group that goes together as one. */
function ranked(planning: Planning, own: SqlFragment, most: Most): SqlFragment {
  const cost = actionCost(planning);
  const each = sql`SELECT d.object_id, min(row(d.rule, d.position)) AS place,
      sum(c.size) AS bytes, ${most.cost === undefined ? trusted("0") : sql`sum(${cost.now})`} AS cost,
      max(CASE WHEN ${isGroupRule(planning, "d.rule")} THEN c.collection END) AS collection
    FROM plan_draft d JOIN plan_candidate c ON c.object_id = d.object_id
    ${most.cost === undefined ? trusted("") : cost.joins}
    WHERE ${own} GROUP BY d.object_id`;
  const isFit = (bytes: string, dollars: string) =>
    sql`${trusted(bytes)} <= ${most.bytes} AND ${trusted(dollars)} <= ${most.cost ?? atMost()}`;
  if (groupRules(planning.rules).length === 0) {
    return sql`SELECT object_id, fits, 1 AS own_objects, bytes AS own_bytes, ${running}
      FROM (SELECT *, ${isFit("bytes", "cost")} AS fits FROM (${each}))
      WINDOW turns AS (ORDER BY place, object_id ROWS UNBOUNDED PRECEDING)`;
  }
  const units = sql`SELECT *, count(*) OVER unit AS own_objects,
      min(row(place, object_id)) OVER unit AS first,
      sum(bytes) OVER unit AS own_bytes,
      ${isFit("sum(bytes) OVER unit", "sum(cost) OVER unit")}
        AND count(*) OVER unit <= ${most.objects} AS fits
    FROM (${each})
    WINDOW unit AS (PARTITION BY coalesce('in ' || collection, object_id::VARCHAR))`;
  return sql`SELECT object_id, fits, own_objects, own_bytes, ${running}
    FROM (${units}) WINDOW turns AS (ORDER BY first RANGE UNBOUNDED PRECEDING)`;
}

/** What all up to an object use that could be done at all. */
const running = trusted(`sum(fits::BIGINT) OVER turns AS objects,
  sum(CASE WHEN fits THEN bytes ELSE 0 END) OVER turns AS bytes,
  sum(CASE WHEN fits THEN cost ELSE 0 END) OVER turns AS cost`);

async function smallest(planning: Planning, sources: readonly NamedLimits[]) {
  const ofObjects: Bound[] = [];
  const ofBytes: Bound[] = [];
  const ofCost: Bound[] = [];
  for (const { of, limits } of sources) {
    const { objects, objectsShare, bytes, costUsd } = limits;
    if (objects !== undefined)
      ofObjects.push({ most: objects, words: `${of}: ${objects} objects` });
    if (objectsShare !== undefined) {
      const all = await objectsInIndex(planning);
      const most = objectsAllowed(objectsShare, all);
      const words = `${of}: ${shareText(objectsShare)} of ${all} objects, which is ${most}`;
      ofObjects.push({ most, words });
    }
    if (bytes !== undefined) ofBytes.push({ most: bytes, words: `${of}: ${formatSize(bytes)}` });
    if (costUsd !== undefined)
      ofCost.push({ most: costUsd, words: `${of}: ${formatMoney(costUsd)}` });
  }
  return { objects: least(ofObjects), bytes: least(ofBytes), cost: least(ofCost) };
}

function least(bounds: readonly Bound[]): Bound | undefined {
  return bounds.toSorted((a, b) => a.most - b.most)[0];
}

async function objectsInIndex(planning: Planning): Promise<number> {
  const [row] = await planning.rows(trusted("SELECT count(*) AS objects FROM object"));
  return Number(row?.["objects"] ?? 0);
}
