import type { Backend } from "#model/backend.ts";
import { anyMask, bitOf, maskOf, maskSql, noBackends, without } from "#policies/plan/mask-sql.ts";
import { copiesOn, withSame } from "#policies/plan/one-storage.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** Which copies of a candidate (alias `c`) to prefer, and which one not to read from. */
export interface SourceWish {
  /** Backends to prefer among equally sure copies. */
  readonly preferred?: bigint;
  /** Mask expression of backends that are no source. */
  readonly except?: SqlFragment;
}

/**
 * Backend id to read a candidate (alias `c`) from: among its surest readable copies one of the
 * preferred backends, else the one on the warmest backend; null when nothing can be read.
 */
export function copySource(planning: Planning, wish: SourceWish = {}): SqlFragment {
  const readable = planning.backends.filter(isReadable);
  const except = wish.except === undefined ? noBackends : withSame(planning, wish.except);
  // A copy that this plan gives up is still there while others are made, but no first choice.
  const exceptions = planning.removes ? [anyMask(except, planning.removed), except] : [except];
  const classes = exceptions.flatMap((unusable) =>
    levels.map((level) => without(readableCopies(planning, level), unusable)),
  );
  const first = readable.filter(({ id }) => ((wish.preferred ?? 0n) & bitOf(id)) !== 0n);
  const order = [...new Set([...first, ...readable])];
  if (order.length === 0) return trusted("NULL::INTEGER");
  if (classes.length * order.length <= armsMax) {
    const arms = classes.flatMap((copies) => sourceArms(order, copies));
    return sql`(CASE ${joinFragments(arms, " ")} END)::INTEGER`;
  }
  const surest = classes.map((copies) => sql`WHEN ${copies} <> 0 THEN ${copies}`);
  // A lambda over one value gives it a name: written out again for each backend, it would take
  // DuckDB longer to read than tens of thousands of candidates take.
  return sql`list_transform([CASE ${joinFragments(surest, " ")} END], lambda surest:
    CASE ${joinFragments(sourceArms(order, trusted("surest")), " ")} END)[1]::INTEGER`;
}

/** So many arms are read and run faster than a lambda. */
const armsMax = 32;

/** The first of these backends that is in a mask. */
function sourceArms(order: readonly Backend[], mask: SqlFragment): readonly SqlFragment[] {
  return order.map(
    ({ id }) => sql`WHEN ${mask} & ${maskSql(bitOf(id))} <> 0 THEN ${trusted(`${id}`)}`,
  );
}

const levels = ["verified_mask", "sampled_mask", "listed_mask", "present_mask"];

/** Whether a candidate (alias `c`) can be read from anywhere. */
export function hasSource(planning: Planning): SqlFragment {
  return sql`(${anyMask(...levels.map((level) => readableCopies(planning, level)))} <> 0)`;
}

/** Of the copies in a column of a candidate, those that can be read. */
function readableCopies(planning: Planning, column: string): SqlFragment {
  const readable = planning.backends.filter(isReadable);
  // Candidates know of no other backends.
  if (readable.length === planning.backends.length) return trusted(`c.${column}`);
  return sql`(${trusted(`c.${column}`)} & ${maskSql(maskOf(readable))})`;
}

/** Whether copies there can be read at all. */
export function isReadable({ capabilities }: Backend): boolean {
  return capabilities.operations.includes("read");
}

/**
 * Backends with a copy of a candidate that could be checked in place: the copy step reads what
 * is there, but only when another copy can replace it if it turns out to be damaged.
 */
export function checkableMask(planning: Planning): SqlFragment {
  const readable = readableCopies(planning, "present_mask");
  return sql`(c.present_mask
    & ~(CASE WHEN ${copiesOn(planning, readable)} > 1 THEN 0 ELSE ${readable} END))`;
}
