import { bitOf, maskSql } from "#policies/plan/mask-sql.ts";
import { rulesOf } from "#policies/plan/match-words.ts";
import type { Planning } from "#policies/plan/planning.ts";
import type { RuleTests } from "#policies/plan/scan-candidates.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** A rule that frees a backend above its mark. */
export interface ActiveMark {
  readonly rule: number;
  readonly backend: number;
  /** How many objects free about what is needed, and some more. */
  readonly first: number;
}

export async function activeMarks(
  planning: Planning,
  atLeast: number,
): Promise<readonly ActiveMark[]> {
  const marks: ActiveMark[] = [];
  for (const { index, verb } of rulesOf(planning.rules, "evict", "demote")) {
    for (const { backend, bytes } of verb.free ?? []) {
      const [row] = await planning.rows(sql`SELECT avg(size) AS size FROM (
        SELECT o.size FROM object o WHERE (o.present_mask & ${maskSql(bitOf(backend))}) <> 0
        LIMIT 10000)`);
      const size = Math.max(1, Number(row?.["size"] ?? 1));
      marks.push({ rule: index, backend, first: atLeast + Math.ceil((1.25 * bytes) / size) });
    }
  }
  return marks;
}

/** When the first objects of many are looked for among those up to a key that is guessed. */
export interface Guess {
  /** At least so many: fewer are found without sorting all objects. */
  readonly from: number;
  /** So many more of the objects that are looked at to guess it, since they may not be like the others. */
  readonly spare: number;
}

export const usualGuess: Guess = { from: 20_000, spare: 256 };

/** One of so many stretches of the index is looked at to guess the key. */
const stretches = 32;
/** An object's stretch: as many neighbours as DuckDB reads at once. */
const stretch = trusted("(o.object_id >> 11)");

/**
 * `plan_first`: of each such rule the first objects that it might free, in its order. Answers
 * those marks for which there are more.
 */
export async function gatherFirst(
  planning: Planning,
  tests: RuleTests,
  marks: readonly ActiveMark[],
  turn: number,
  guess: Guess,
): Promise<readonly ActiveMark[]> {
  await planning.run(
    trusted(`CREATE OR REPLACE TEMP TABLE plan_first
    (rule INTEGER, backend INTEGER, object_id BIGINT)`),
  );
  const cut: ActiveMark[] = [];
  for (const mark of marks) {
    const most = mark.first * turn;
    const isGuessed = most >= guess.from && (await guessLast(planning, tests, mark, most, guess));
    // Fewer than are wanted, up to the key: it was guessed too low, or there are no more.
    const found = isGuessed ? await addFirst(planning, tests, mark, most, true) : 0;
    if (found < most) {
      if (found > 0) await planning.run(sql`DELETE FROM plan_first WHERE ${ofMark(mark)}`);
      if ((await addFirst(planning, tests, mark, most, false)) < most) continue;
    }
    cut.push(mark);
  }
  return cut;
}

/** Adds so many, or those of them up to the guessed key; answers how many there were. */
async function addFirst(
  planning: Planning,
  { from, fits }: RuleTests,
  mark: ActiveMark,
  most: number,
  isGuessed: boolean,
): Promise<number> {
  const rule = planning.rules[mark.rule];
  if (rule === undefined) return 0;
  const [key] = rule.order;
  const upTo =
    isGuessed && key !== undefined
      ? sql`AND ${key.key} ${trusted(key.descending ? ">=" : "<=")} (SELECT key FROM plan_last)`
      : trusted("");
  await planning.run(sql`INSERT INTO plan_first
    SELECT ${mark.rule}::INTEGER, ${mark.backend}::INTEGER, o.object_id FROM ${from}
    WHERE ${isThere(mark)} AND ${fits(rule, mark.rule)} ${upTo}
    ORDER BY ${joinFragments(orderOf(planning, mark), "")} o.object_id LIMIT ${most}::BIGINT`);
  const [row] = await planning.rows(sql`SELECT count(*) AS objects FROM plan_first
    WHERE ${ofMark(mark)}`);
  return Number(row?.["objects"]);
}

/**
 * `plan_last`: the first key of the rule's order up to which there are about as many objects, from
 * some of them. False when it is none, or cannot be told.
 */
async function guessLast(
  planning: Planning,
  { from, fits }: RuleTests,
  mark: ActiveMark,
  most: number,
  { spare }: Guess,
): Promise<boolean> {
  const rule = planning.rules[mark.rule];
  const [key] = rule?.order ?? [];
  if (rule === undefined || key === undefined) return false;
  const place = Math.ceil((1.25 * most) / stretches) + spare;
  const [order] = orderOf(planning, mark);
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_last AS
    SELECT ${key.key} AS key FROM ${from}
    WHERE ${stretch} % ${trusted(`${stretches}`)} = 0 AND ${isThere(mark)}
      AND ${fits(rule, mark.rule)}
    ORDER BY ${order ?? trusted("")} o.object_id LIMIT 1 OFFSET ${place}::BIGINT`);
  const [found] = await planning.rows(trusted("SELECT 1 FROM plan_last WHERE key IS NOT NULL"));
  return found !== undefined;
}

function orderOf(planning: Planning, { rule }: ActiveMark): readonly SqlFragment[] {
  return (planning.rules[rule]?.order ?? []).map(
    ({ key, descending }) => sql`${key} ${trusted(descending ? "DESC" : "ASC")} NULLS LAST, `,
  );
}

function isThere({ backend }: ActiveMark): SqlFragment {
  return sql`(o.present_mask & ${maskSql(bitOf(backend))}) <> 0`;
}

function ofMark({ rule, backend }: ActiveMark): SqlFragment {
  return sql`rule = ${rule}::INTEGER AND backend = ${backend}::INTEGER`;
}
