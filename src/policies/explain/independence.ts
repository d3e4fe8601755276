import { objectsAllowed } from "#model/plan-limits.ts";
import { mayAct, mayPut } from "#policies/explain/rule-reach.ts";
import type { Planning } from "#policies/plan/planning.ts";
import type { RuleTests } from "#policies/plan/scan-candidates.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** Something that all objects of a plan share: what one takes of it is missing to others. */
interface Shared {
  /** Over `o`: objects that may take something of it. */
  readonly takers: SqlFragment;
  /** Over `o`: the most that one of them takes. */
  readonly taken: SqlFragment;
  /** What there is; undefined when it is not known before a whole plan. */
  readonly most: number | undefined;
}

/**
 * Whether some objects are planned without the others as they are with them: of the limits and the
 * room that these objects may use, there is enough for all that might.
 */
export async function isIndependent(
  planning: Planning,
  tests: RuleTests,
  chosen: SqlFragment,
): Promise<boolean> {
  const shared = [...ruleLimits(planning, tests), ...rooms(planning, tests)];
  shared.push(...(await policyLimits(planning, tests)));
  if (shared.length === 0) return true;
  const concerns = shared.map(
    ({ takers }, at) => sql`coalesce(bool_or(${takers}), false) AS ${trusted(`s${at}`)}`,
  );
  const [concerned] = await planning.rows(sql`SELECT ${joinFragments(concerns, ",\n")}
    FROM ${tests.from} WHERE ${chosen}`);
  const own = shared.filter((_, at) => concerned?.[`s${at}`] === true);
  if (own.length === 0) return true;
  if (own.some(({ most }) => most === undefined)) return false;
  const sums = own.map(
    ({ takers, taken, most }, at) =>
      sql`coalesce(sum((${taken})::HUGEINT) FILTER (WHERE ${takers}), 0) <= ${most ?? 0}::HUGEINT
        AS ${trusted(`s${at}`)}`,
  );
  const [enough] = await planning.rows(
    sql`SELECT ${joinFragments(sums, ",\n")} FROM ${tests.from}`,
  );
  return own.every((_, at) => enough?.[`s${at}`] === true);
}

/**
 * An object has no more copies than there are backends, gains and loses each of them once, and
 * each rule with `run` looks at each of them at most once.
 */
function bytesOf({ backends, rules }: Planning): SqlFragment {
  const runs = rules.filter(({ verb }) => verb.kind === "run").length;
  return trusted(`o.size * ${(2 + runs) * Math.max(1, backends.length)}`);
}

function ruleLimits(planning: Planning, tests: RuleTests): readonly Shared[] {
  return planning.rules.flatMap(({ limit }, index) => {
    const takers = mayAct(planning, tests, index);
    return [
      { takers, taken: trusted("1"), most: limit.objects },
      { takers, taken: bytesOf(planning), most: limit.bytes },
    ].filter(({ most }) => most !== undefined);
  });
}

async function policyLimits(planning: Planning, tests: RuleTests): Promise<readonly Shared[]> {
  const shared: Shared[] = [];
  for (const [policy, limits] of Object.entries(planning.set.limits)) {
    const acts = planning.rules.flatMap((rule, index) =>
      rule.policy === policy ? [mayAct(planning, tests, index)] : [],
    );
    if (acts.length === 0) continue;
    const takers = sql`(${joinFragments(acts, " OR ")})`;
    const { objects, objectsShare, bytes, costUsd, budget } = limits;
    const one = { takers, taken: trusted("1") };
    if (objects !== undefined) shared.push({ ...one, most: objects });
    if (objectsShare !== undefined) {
      const [row] = await planning.rows(trusted("SELECT count(*) AS objects FROM object"));
      shared.push({ ...one, most: objectsAllowed(objectsShare, Number(row?.["objects"] ?? 0)) });
    }
    if (bytes !== undefined) shared.push({ takers, taken: bytesOf(planning), most: bytes });
    if (costUsd !== undefined || budget !== undefined) shared.push({ ...one, most: undefined });
  }
  return shared;
}

function rooms(planning: Planning, tests: RuleTests): readonly Shared[] {
  return [...planning.room].flatMap(([backend, most]) => {
    const puts = planning.rules.flatMap(
      (_, index) => mayPut(planning, tests, index, backend) ?? [],
    );
    if (puts.length === 0) return [];
    return [{ takers: sql`(${joinFragments(puts, " OR ")})`, taken: trusted("o.size"), most }];
  });
}
