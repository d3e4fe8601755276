import type { BlockReason } from "#model/plan.ts";
import type { SqlRow } from "#model/sql.ts";
import { blockWords } from "#policies/explain/action-words.ts";
import { nameObjects } from "#policies/explain/name-objects.ts";
import { countAhead, planCompetitors } from "#policies/explain/plan-competitors.ts";
import type { ObjectState } from "#policies/explain/rule-result.ts";
import { decideActions } from "#policies/plan/build-plan.ts";
import { groupRules } from "#policies/plan/group.ts";
import { isFreed } from "#policies/plan/cut-to-need.ts";
import { bitOf } from "#policies/plan/mask-sql.ts";
import { type PlacedRule, rulesOf } from "#policies/plan/match-words.ts";
import { rowOrder } from "#policies/plan/final-rows.ts";
import { Planning } from "#policies/plan/planning.ts";
import { type CompiledBounds, isBounded } from "#policies/removal-bound.ts";
import { sql, trusted } from "#policies/sql-fragment.ts";

/** What remains of the actions on one object once others have had their say. */
export interface OthersWeighed {
  /** Rows of the plan for this object. */
  readonly rows: readonly SqlRow[];
  /** What its rules cannot be given because of others. */
  readonly blocked: ObjectState["blocked"];
  /** How many objects have their turn before it and free what a rule needs, by its place. */
  readonly ahead: ReadonlyMap<number, number>;
}

/** So many objects are named; the others are counted. */
const namedMax = 3;

/**
 * Asks the planner once more, for all objects whose fate this one shares: those of its
 * collection, or all of them when a rule selects it that frees only what is needed. Undefined
 * when it shares its fate with none. `own` is what was decided for it alone, in `planning`.
 */
export async function weighOthers(
  planning: Planning,
  objectId: number,
  own: ObjectState,
): Promise<OthersWeighed | undefined> {
  const wish = await groupWish(planning, objectId);
  const bounded = await exceededRules(planning, own);
  if (wish === undefined && bounded.length === 0) return undefined;
  const together =
    bounded.length > 0
      ? await planCompetitors(planning, objectId)
      : await planCollection(planning, wish?.collection ?? "");
  const rows = await together.rows(sql`SELECT * FROM plan_row
    WHERE object_id = ${objectId}::BIGINT ORDER BY ${rowOrder}`);
  const acts = new Set(rows.map((row) => Number(row["rule_index"])));
  const blocked: ObjectState["blocked"][number][] = [];
  const ahead = new Map<number, number>();
  for (const rule of bounded) {
    // What else keeps it, of a rule that frees too little, is told below.
    if (acts.has(rule.index) || !(await isFreed(together, rule, objectId))) continue;
    ahead.set(rule.index, await countAhead(together, objectId, rule.index));
  }
  for (const index of lostRules(own, acts)) {
    if ((ahead.get(index) ?? 0) > 0) continue;
    const held = wish?.rules.has(index)
      ? await keepers(together, objectId, index, wish.collection)
      : undefined;
    if (held !== undefined) blocked.push({ ruleIndex: index, reason: "group", detail: held });
    else blocked.push(...bounds(together, index));
  }
  return { rows, blocked, ahead };
}

/** Rules that free only what is needed, and need to: of its backends, or of its owner. */
async function exceededRules(
  planning: Planning,
  { matches, masks }: ObjectState,
): Promise<readonly PlacedRule<"evict" | "demote">[]> {
  const bounded = rulesOf(planning.rules, "evict", "demote").filter(
    ({ index, verb }) => matches[index] === true && isBounded(verb),
  );
  if (bounded.every(({ verb }) => verb.quota === undefined)) {
    return bounded.filter(({ verb }) => isAboveMark(verb, masks.claimed));
  }
  // The plan of the object alone asked only for those whose quotas it counts for.
  const rows = await planning.rows(trusted("SELECT DISTINCT rule FROM plan_used"));
  const over = new Set(rows.map(({ rule }) => Number(rule)));
  return bounded.filter(({ index, verb }) =>
    verb.quota === undefined
      ? isAboveMark(verb, masks.claimed)
      : over.has(index) && (masks.claimed & verb.from) !== 0n,
  );
}

function isAboveMark({ free = [] }: CompiledBounds, copies: bigint): boolean {
  return free.some(({ backend }) => (copies & bitOf(backend)) !== 0n);
}

async function planCollection(planning: Planning, collection: string): Promise<Planning> {
  const together = new Planning(planning.set, planning.session, planning.safety);
  await decideActions(together, { objects: sql`o.collection = ${collection}` });
  return together;
}

/** Rules that would act on the object, were it alone, and do not; also those that it breaks itself. */
function lostRules({ actions, blocked }: ObjectState, acts: ReadonlySet<number>): Set<number> {
  const broken = blocked.filter(({ reason }) => reason === "group");
  const alone = [...actions, ...broken].map(({ ruleIndex }) => ruleIndex);
  return new Set(alone.filter((index) => !acts.has(index)));
}

/** The collection, and the rules by collections that want something of this object. */
async function groupWish(planning: Planning, objectId: number) {
  if (groupRules(planning.rules).length === 0) return undefined;
  const rows = await planning.rows(sql`SELECT DISTINCT rule, collection FROM plan_wish
    WHERE object_id = ${objectId}::BIGINT`);
  const [first] = rows;
  if (first === undefined) return undefined;
  const rules = new Set(rows.map(({ rule }) => Number(rule)));
  return { collection: String(first["collection"]), rules };
}

/** The objects that keep back their collection, and why, in words. */
async function keepers(
  planning: Planning,
  objectId: number,
  index: number,
  collection: string,
): Promise<string | undefined> {
  const rows = await planning.rows(sql`SELECT DISTINCT object_id, block, count(*) OVER () AS of
    FROM plan_short WHERE rule = ${index}::INTEGER AND collection = ${collection}
    ORDER BY object_id LIMIT ${namedMax}::INTEGER`);
  if (rows.length === 0) return undefined;
  const ids = rows.map((row) => Number(row["object_id"]));
  const names = await nameObjects(planning, ids);
  const shown = rows.map((row) => {
    const id = Number(row["object_id"]);
    const why =
      row["block"] === null
        ? "what it rests on is not done"
        : blockWords[row["block"] as BlockReason];
    return `${id === objectId ? "this object itself" : names.get(id)} (${why})`;
  });
  const count = Number(rows[0]?.["of"] ?? 0);
  const more = count > shown.length ? ` and ${count - shown.length} more` : "";
  return `${shown.join(", ")}${more} of collection ${collection}`;
}

/** Limits and room of targets that other objects have used up. */
function bounds({ blocked }: Planning, index: number): ObjectState["blocked"] {
  const reasons = ["budget", "capacity", "limit"];
  const of = new Map(
    blocked.all
      .filter(({ ruleIndex, reason }) => ruleIndex === index && reasons.includes(reason))
      .map(({ reason, detail }) => [`${reason} ${detail ?? ""}`, { reason, detail }]),
  );
  return [...of]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { reason, detail }]) => ({ ruleIndex: index, reason, detail }));
}
