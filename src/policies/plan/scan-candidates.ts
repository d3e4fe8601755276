import type { CompiledRule, Moment } from "#policies/compiled-policy.ts";
import { namesOver, quotaColumns, quotaName, readUsage, usedBy } from "#policies/plan/used-by.ts";
import { groupRules, readPartialGroups } from "#policies/plan/group.ts";
import {
  endedCopies,
  isOver,
  leaseColumns,
  leaseRules,
  readLeases,
  withLeases,
} from "#policies/plan/lease.ts";
import { findLocked } from "#policies/plan/find-locked.ts";
import { findStuck } from "#policies/plan/find-stuck.ts";
import { objectPlace } from "#policies/plan/rendezvous.ts";
import { bitOf, confidenceColumn, maskOf, maskSql } from "#policies/plan/mask-sql.ts";
import { matchedAny, rulesOf, wordCount, wordOf, wordSum } from "#policies/plan/match-words.ts";
import { copiesOn } from "#policies/plan/one-storage.ts";
import { lacksCopies } from "#policies/plan/spread.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { hasChoice, sameForAll } from "#policies/plan/same-for-all.ts";
import { isBounded } from "#policies/removal-bound.ts";
import { runWants } from "#policies/run-actions/run-actions.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** Some objects: by their ids, or by a condition over `object AS o`. */
export type ObjectChoice = readonly number[] | SqlFragment;

/**
 * Reads the object view once for all rules. A row is kept when some rule matches it and its
 * masks say that this rule has something to do; protective rules only add their bits to such
 * rows. Most objects of a settled index are dropped here by a bit test.
 */
export async function scanCandidates(planning: Planning, only?: ObjectChoice): Promise<void> {
  const { rules } = planning;
  await readLeases(planning);
  await readVerdicts(planning, only);
  await readUsage(planning, only && among(only));
  const isStuck = await findStuck(planning);
  planning.hasStuck = isStuck;
  const stuck = isStuck
    ? trusted("LEFT JOIN plan_stuck q ON q.object_id = c.object_id")
    : trusted(", (SELECT 0 AS copies, 0 AS removals) q");
  const isLocked = losesCopies(rules) && (await findLocked(planning, only));
  planning.hasLocked = isLocked;
  const locked = trusted(isLocked ? "LEFT JOIN plan_locked k ON k.object_id = c.object_id" : "");
  const same = sameForAll(rules, { isStuck, isLocked });
  const except = same.size === 0 ? "*" : `* EXCLUDE (${[...same.keys()].join(", ")})`;
  const masks = sql`SELECT ${trusted(except)} FROM (
    SELECT c.*, 0::BIGINT AS added, 0::BIGINT AS removed,
      coalesce(q.copies, 0)::BIGINT AS stuck_copies,
      coalesce(q.removals, 0)::BIGINT AS stuck_removals,
      ${trusted(isLocked ? "coalesce(k.backends, 0)::BIGINT" : "0::BIGINT")} AS locked,
      ${deletionState(planning)} AS deletion
    FROM (SELECT c.* REPLACE (${isHeld(rules)} AS held) FROM (${scan(planning, only)}) c) c
    ${locked} ${stuck})`;
  const columns = [...same].map(([column, value]) => `, ${value} AS ${column}`).join("");
  await planning.hasCandidates(masks, columns, isReadOnce(rules));
}

/** Whether rules may give up copies at all. */
function losesCopies(rules: readonly CompiledRule[]): boolean {
  return rules.some(({ verb }) =>
    verb.kind === "ensure"
      ? verb.copies.max !== undefined || "forMs" in verb
      : losing.has(verb.kind),
  );
}

const losing: ReadonlySet<CompiledRule["verb"]["kind"]> = new Set([
  "demote",
  "evict",
  "delete",
  "promote",
]);

/**
 * Whether candidates are likely to be read only once: for one rule that gives up copies and asks
 * nothing about what other objects get.
 */
function isReadOnce(rules: readonly CompiledRule[]): boolean {
  const [rule, ...others] = rules.filter(({ verb }) => verb.kind !== "hold");
  if (rule === undefined || others.length > 0) return false;
  const { verb, group, horizonMs } = rule;
  const isRemoval = verb.kind === "demote" || verb.kind === "evict";
  return isRemoval && !isBounded(verb) && group === undefined && horizonMs === undefined;
}

/** What tests of rules on objects look up besides the objects: verdicts by name, and of groups. */
async function readVerdicts(planning: Planning, only: ObjectChoice | undefined): Promise<void> {
  const { rules } = planning;
  const grouped = groupRules(rules).length > 0;
  // Whether a collection is whole depends on objects of it that are not asked about.
  const reached = grouped && only !== undefined ? withCollections(only) : only;
  planning.hasNames = await hasFurtherNames(planning, reached);
  if (planning.hasNames) await planning.run(scanNames(rules, reached));
  if (!grouped) return;
  await readPartialGroups(planning, objectsOf(planning), untilOver(planning), among(reached));
}

/** Whether a rule asks for names, and one of these objects has more than one. */
async function hasFurtherNames(
  planning: Planning,
  only: ObjectChoice | undefined,
): Promise<boolean> {
  if (planning.rules.every((rule) => rule.whereByName === undefined)) return false;
  const some = await planning.rows(
    sql`SELECT 1 FROM object o WHERE o.names > 1 ${among(only)} LIMIT 1`,
  );
  return some.length > 0;
}

/** These objects, and all others of their collections. */
function withCollections(only: ObjectChoice): SqlFragment {
  const asked = sql`FROM object o WHERE true ${among(only)}`;
  return sql`(o.object_id IN (SELECT o.object_id ${asked})
    OR o.collection IN (SELECT o.collection ${asked}))`;
}

/**
 * The first objects of a collection that a rule does not select, and how many there are; none
 * when it does not select this object of it either.
 */
export async function unselectedOf(
  planning: Planning,
  { index, collection, objectId }: { index: number; collection: string; objectId: number },
  most: number,
): Promise<{ readonly objects: readonly number[]; readonly count: number }> {
  const rule = planning.rules[index];
  if (rule === undefined) return { objects: [], count: 0 };
  const rows = await planning.rows(sql`SELECT o.object_id, count(*) OVER () AS of,
      bool_or(o.object_id = ${objectId}::BIGINT) OVER () AS itself
    FROM ${objectsOf(planning)}
    WHERE o.collection = ${collection} AND NOT ${untilOver(planning)(rule, index)}
    ORDER BY o.object_id LIMIT ${most}::INTEGER`);
  if (rows[0]?.["itself"] === true) return { objects: [], count: 0 };
  const objects = rows.map((row) => Number(row["object_id"]));
  return { objects, count: Number(rows[0]?.["of"] ?? 0) };
}

/** `object o`, with what tests of rules look up. */
function objectsOf(planning: Planning): SqlFragment {
  return sql`object o
    ${trusted(planning.hasNames ? "LEFT JOIN plan_named m ON m.object_id = o.object_id" : "")}
    ${withLeases(planning)}`;
}

function scan(planning: Planning, only: ObjectChoice | undefined): SqlFragment {
  const { rules, backends } = planning;
  const fits = matches(planning);
  // Copies on backends that are no longer configured can neither be checked nor counted on.
  const known = maskSql(maskOf(backends));
  const columns = [
    trusted("o.object_id, o.size, o.in_flight_mask, o.held, o.tombstoned"),
    ...["present_mask", "listed_mask", "sampled_mask", "verified_mask"].map(
      (mask) => sql`o.${trusted(mask)} & ${known} AS ${trusted(mask)}`,
    ),
    ...leaseColumns(planning),
    ...quotaColumns(rules),
    trusted(`${hasChoice(rules) ? objectPlace : "NULL::BIGINT"} AS place`),
    trusted(groupRules(rules).length === 0 ? "NULL::VARCHAR AS collection" : "o.collection"),
    ...Array.from(
      { length: wordCount(rules) },
      (_, word) =>
        // A rule that is alone matches all that are candidates: asked again, it would keep the scan
        // from reading its conditions as filters.
        sql`${isAlone(rules) ? trusted("1::BIGINT") : wordSum(rules, word, fits)}
          AS ${trusted(`w${word}`)}`,
    ),
    ...rules.flatMap((rule, index) =>
      rule.order.map(({ key }, at) => sql`${key} AS ${trusted(orderColumn(index, at))}`),
    ),
  ];
  const wanted = rules.flatMap((rule, index) =>
    rule.verb.kind === "hold"
      ? []
      : [
          sql`(${hasWork(rule, planning.set.moment, namesOver(index))}
            AND ${fits(rule, index)})`,
        ],
  );
  for (const rule of leaseRules(rules)) wanted.push(sql`${endedCopies(planning, rule)} <> 0`);
  return sql`SELECT ${joinFragments(columns, ",\n")} FROM ${objectsOf(planning)}
    WHERE ${wanted.length === 0 ? trusted("false") : sql`(${joinFragments(wanted, "\nOR ")})`}
    ${among(only)}`;
}

/** Whether there is one rule, and objects are candidates for nothing else. */
function isAlone(rules: readonly CompiledRule[]): boolean {
  return rules.length === 1 && rules[0]?.verb.kind !== "hold" && leaseRules(rules).length === 0;
}

/** Narrows a scan of `object o` to these, if any are named. */
function among(only: ObjectChoice | undefined): SqlFragment {
  if (only === undefined) return trusted("");
  if (!("map" in only)) return sql`AND ${only}`;
  return trusted(`AND o.object_id IN (SELECT unnest([${only.map(Number).join()}]::BIGINT[]))`);
}

/** Name of the column that carries an order key of a rule. */
export function orderColumn(rule: number, at: number): string {
  return `k${rule}_${at}`;
}

/** A cheap test over masks for "this rule could act here"; whose quota is exceeded, if it is known. */
export function hasWork(
  { id, verb }: CompiledRule,
  moment: Pick<Moment, "now" | "backends">,
  over?: SqlFragment,
): SqlFragment {
  switch (verb.kind) {
    case "ensure": {
      const { max } = verb.copies;
      const on = maskSql(verb.on);
      const counted = trusted(`(o.${confidenceColumn(verb.confidence)} | o.in_flight_mask)`);
      const lacks = lacksCopies(moment, verb, sql`${counted} & ${on}`);
      if (max === undefined) return lacks;
      const there = sql`o.present_mask & ${on}`;
      return sql`(${lacks} OR ${copiesOn(moment, there)} > ${max}::INTEGER)`;
    }
    case "evict":
    case "demote": {
      const { free, quota } = verb;
      const from = free?.reduce((mask, { backend }) => mask | bitOf(backend), 0n) ?? verb.from;
      const there = sql`(o.present_mask & ${maskSql(from)}) <> 0`;
      if (quota === undefined) return there;
      const names = over ?? sql`SELECT name FROM (${usedBy(quota, verb.from)})`;
      return sql`${there} AND ${quotaName(quota.per)} IN (${names})`;
    }
    case "promote":
      return sql`(o.present_mask & ${maskSql(verb.from)}) <> 0
        AND ((o.verified_mask | o.in_flight_mask) & ${maskSql(verb.to)}) = 0`;
    case "delete":
      return trusted("o.present_mask <> 0");
    case "run":
      return runWants({ id, verb, now: moment.now });
    case "hold":
      break;
  }
  return trusted("false");
}

/** Which rules match each of these objects, in set order, by id. */
export async function matchingRules(
  planning: Planning,
  objects: readonly number[],
): Promise<ReadonlyMap<number, readonly boolean[]>> {
  const { rules } = planning;
  if (rules.length === 0) return new Map(objects.map((objectId) => [objectId, []]));
  await readLeases(planning);
  await readVerdicts(planning, objects);
  const fits = matches(planning);
  const columns = rules.map((rule, index) => sql`${fits(rule, index)} AS ${trusted(`r${index}`)}`);
  const rows = await planning.rows(sql`SELECT o.object_id, ${joinFragments(columns, ",\n")}
    FROM ${objectsOf(planning)}
    WHERE true ${among(objects)}`);
  return new Map(
    rows.map((row) => [
      Number(row["object_id"]),
      rules.map((_, index) => row[`r${index}`] === true),
    ]),
  );
}

/** How the rules of a set are tested on any object: `from` has it as `o`. */
export interface RuleTests {
  readonly from: SqlFragment;
  readonly fits: RuleTest;
}

/**
 * The tests, after what they look up was read, for all objects or only these. `one-name` is for
 * whoever looks afterwards whether some of these has further names.
 */
export async function readTests(
  planning: Planning,
  only?: readonly number[],
  names: "all-names" | "one-name" = "all-names",
): Promise<RuleTests> {
  await readLeases(planning, only);
  if (names === "all-names") await readVerdicts(planning, only);
  return { from: objectsOf(planning), fits: matches(planning) };
}

export type RuleTest = (rule: CompiledRule, index: number) => SqlFragment;

/** The same for rules that go by collections: only where they select every object of one. */
function matches(planning: Planning): RuleTest {
  const selects = untilOver(planning);
  return (rule, index) => {
    if (rule.group === undefined || isProtective(rule)) return selects(rule, index);
    return sql`(${selects(rule, index)} AND (o.collection IS NULL OR o.collection NOT IN
      (SELECT collection FROM plan_partial WHERE rule = ${index}::INTEGER)))`;
  };
}

/** Whether a rule selects an object, and has not had it copied for as long as it asks. */
function untilOver(planning: Planning): RuleTest {
  const leases = new Map(leaseRules(planning.rules).map((lease) => [lease.index, lease]));
  // As `objectsOf` is now: what is read later may be of other objects.
  const { hasNames } = planning;
  return (rule, index) => {
    const lease = leases.get(index);
    const selects = hasNames ? selected(rule, index) : sql`(${rule.where})`;
    return lease === undefined ? selects : sql`(${selects} AND NOT ${isOver(planning, lease)})`;
  };
}

/** Over `o` (and `m`, the verdicts by name, for objects with more than one name). */
function selected(rule: CompiledRule, index: number): SqlFragment {
  if (rule.whereByName === undefined) return sql`(${rule.where})`;
  const { word, bit } = wordOf(index);
  const verdict = trusted(`m.${isProtective(rule) ? "any" : "all"}${word}`);
  return sql`(CASE WHEN o.names > 1 THEN coalesce((${verdict} & ${maskSql(bit)}) <> 0, false)
    ELSE (${rule.where}) END)`;
}

export function isProtective({ verb }: CompiledRule): boolean {
  return verb.kind === "hold" || verb.kind === "ensure";
}

/** Verdicts of the rules that read names, for objects with more than one name. */
function scanNames(rules: readonly CompiledRule[], only: ObjectChoice | undefined): SqlFragment {
  const columns = Array.from({ length: wordCount(rules) }, (_, word) => {
    const sum = wordSum(rules, word, ({ whereByName }) => whereByName);
    return sql`bit_or(${sum}) AS ${trusted(`any${word}`)},
      bit_and(${sum}) AS ${trusted(`all${word}`)}`;
  });
  return sql`CREATE OR REPLACE TEMP TABLE plan_named AS
    SELECT n.object_id, ${joinFragments(columns, ", ")}
    FROM name n JOIN object o ON o.object_id = n.object_id
    WHERE o.names > 1
    ${among(only)}
    GROUP BY n.object_id`;
}

function isHeld(rules: readonly CompiledRule[]): SqlFragment {
  const holds = rulesOf(rules, "hold").map(({ index }) => index);
  return sql`(c.held OR ${matchedAny(holds)})`;
}

/**
 * What the first matching delete rule means for a candidate: `mark` (start its grace), `wait`
 * (grace runs, or a copy is still under way), `due`; null when none applies. An ensure that
 * matches forbids deletion, as a hold does.
 */
function deletionState({ rules, set }: Planning): SqlFragment {
  const deletes = rulesOf(rules, "delete");
  if (deletes.length === 0) return trusted("NULL::VARCHAR");
  const now = set.moment.now.getTime();
  const graces = deletes.map(({ index, verb }) => {
    const latest = sql`make_timestamp(${(now - verb.graceMs) * 1_000}::BIGINT)`;
    return sql`WHEN ${matchedAny([index])} THEN
      CASE WHEN c.tombstoned <= ${latest} AND c.in_flight_mask = 0 THEN 'due' ELSE 'wait' END`;
  });
  const ensures = rulesOf(rules, "ensure").map(({ index }) => index);
  return sql`CASE WHEN c.held OR c.present_mask = 0 OR c.leased <> 0 OR ${matchedAny(ensures)}
    THEN NULL
    WHEN c.tombstoned IS NULL AND ${matchedAny(deletes.map(({ index }) => index))} THEN 'mark'
    ${joinFragments(graces, " ")} ELSE NULL END`;
}
