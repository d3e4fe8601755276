import { bitOf, maskSql } from "#policies/plan/mask-sql.ts";
import { rulesOf } from "#policies/plan/match-words.ts";
import type { Planning } from "#policies/plan/planning.ts";
import type { RuleTests } from "#policies/plan/scan-candidates.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** A rule that frees a backend above its mark. */
export interface ActiveMark {
  readonly rule: number;
  readonly backend: number;
  /** What is needed. */
  readonly bytes: number;
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
      marks.push({
        rule: index,
        backend,
        bytes,
        first: atLeast + Math.ceil((1.25 * bytes) / size),
      });
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

/** Up to the key that is guessed, objects have so much more than what is needed: some may not go. */
const slack = 1.1;

/**
 * `plan_first`: of each such rule the first objects that it might free, in its order. Answers
 * those marks for which there may be more.
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
    (rule INTEGER, backend INTEGER, object_id BIGINT, size BIGINT)`),
  );
  const cut: ActiveMark[] = [];
  for (const mark of marks) {
    const most = mark.first * turn;
    if (most >= guess.from && (await guessLast(planning, tests, mark, turn, guess))) {
      const tooMany = 2 * most;
      const found = await addUpToLast(planning, tests, mark, tooMany);
      // Too little: the key was guessed too low; far too much: others are not like these, or have that key.
      if (found.bytes >= mark.bytes * turn && found.objects < tooMany) {
        cut.push(mark);
        continue;
      }
      await planning.run(sql`DELETE FROM plan_first WHERE ${ofMark(mark)}`);
    }
    if ((await addFirst(planning, tests, mark, most)) === most) cut.push(mark);
  }
  return cut;
}

/** Adds so many, in order; answers how many there were. */
async function addFirst(
  planning: Planning,
  tests: RuleTests,
  mark: ActiveMark,
  most: number,
): Promise<number> {
  const inOrder = sql`ORDER BY ${joinFragments(orderOf(planning, mark), "")} o.object_id
    LIMIT ${most}::BIGINT`;
  return (await add(planning, tests, mark, inOrder)).objects;
}

/**
 * Adds all up to the guessed key, which is a beginning of the order without sorting anything, unless
 * they are too many.
 */
async function addUpToLast(
  planning: Planning,
  tests: RuleTests,
  mark: ActiveMark,
  tooMany: number,
): Promise<Found> {
  const [key] = planning.rules[mark.rule]?.order ?? [];
  if (key === undefined) return { objects: 0, bytes: 0 };
  const [last] = await planning.rows(trusted("SELECT key FROM plan_last"));
  const upTo = trusted(key.descending ? ">=" : "<=");
  // Times lose their microseconds on the way; numbers of the text are compared while reading.
  const end =
    typeof last?.["key"] === "number"
      ? sql`${last["key"]}`
      : trusted("(SELECT key FROM plan_last)");
  const which = sql`AND ${key.key} ${upTo} ${end} LIMIT ${tooMany}::BIGINT`;
  return await add(planning, tests, mark, which);
}

/** How many objects of a mark there are in `plan_first`, and their bytes. */
interface Found {
  readonly objects: number;
  readonly bytes: number;
}

async function add(
  planning: Planning,
  { from, fits }: RuleTests,
  mark: ActiveMark,
  which: SqlFragment,
): Promise<Found> {
  const rule = planning.rules[mark.rule];
  if (rule === undefined) return { objects: 0, bytes: 0 };
  await planning.run(sql`INSERT INTO plan_first
    SELECT ${mark.rule}::INTEGER, ${mark.backend}::INTEGER, o.object_id, o.size FROM ${from}
    WHERE ${isThere(mark)} AND ${fits(rule, mark.rule)} ${which}`);
  const [row] = await planning.rows(sql`SELECT count(*) AS objects,
      coalesce(sum(size), 0)::DOUBLE AS bytes FROM plan_first WHERE ${ofMark(mark)}`);
  return { objects: Number(row?.["objects"]), bytes: Number(row?.["bytes"]) };
}

/**
 * `plan_last`: the first key of the rule's order up to which objects have about what is needed, from
 * some of them. False when it is none, or cannot be told.
 */
async function guessLast(
  planning: Planning,
  { from, fits }: RuleTests,
  mark: ActiveMark,
  turn: number,
  { spare }: Guess,
): Promise<boolean> {
  const rule = planning.rules[mark.rule];
  const [key] = rule?.order ?? [];
  if (rule === undefined || key === undefined) return false;
  const most = Math.ceil((slack * mark.first * turn) / stretches) + spare + 1;
  const bytes = Math.ceil((slack * mark.bytes * turn) / stretches);
  const [order] = orderOf(planning, mark);
  const down = trusted(key.descending ? "DESC" : "ASC");
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_last AS
    WITH looked AS (SELECT ${key.key} AS key, o.object_id, o.size FROM ${from}
      WHERE ${stretch} % ${trusted(`${stretches}`)} = 0 AND ${isThere(mark)}
        AND ${fits(rule, mark.rule)}
      ORDER BY ${order ?? trusted("")} o.object_id LIMIT ${most}::BIGINT)
    SELECT key FROM (SELECT key, row_number() OVER turns AS place, sum(size) OVER (turns
        ROWS BETWEEN UNBOUNDED PRECEDING AND ${trusted(`${spare}`)} PRECEDING) AS bytes
      FROM looked WINDOW turns AS (ORDER BY key ${down} NULLS LAST, object_id))
    WHERE bytes >= ${bytes}::HUGEINT OR place = ${most}::BIGINT ORDER BY place LIMIT 1`);
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
