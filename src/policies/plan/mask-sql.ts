import type { Backend } from "#model/backend.ts";
import type { Confidence } from "#model/copy.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** A mask as SQL text: it is made of bits of our own, so it may stand in the text. */
export function maskSql(mask: bigint): SqlFragment {
  return trusted(`${BigInt.asIntN(64, mask)}::BIGINT`);
}

/** No backend at all. What is known to be that is left out of statements: reading them is dear. */
export const noBackends = trusted("0::BIGINT");

function isNone({ parts, values }: SqlFragment): boolean {
  return values.length === 0 && parts.length === 1 && parts[0] === noBackends.parts[0];
}

/** The backends of any of these masks. */
export function anyMask(...masks: readonly SqlFragment[]): SqlFragment {
  const some = masks.filter((mask) => !isNone(mask));
  const [only] = some;
  if (only === undefined) return noBackends;
  return some.length === 1 ? only : sql`(${joinFragments(some, " | ")})`;
}

/** The backends of a mask that none of the others has. */
export function without(mask: SqlFragment, ...others: readonly SqlFragment[]): SqlFragment {
  const taken = anyMask(...others);
  if (isNone(mask) || isNone(taken)) return mask;
  return sql`(${mask} & ~${taken})`;
}

/** The mask with the bit of every given backend. */
export function maskOf(backends: readonly Backend[]): bigint {
  return backends.reduce((mask, backend) => mask | bitOf(backend.id), 0n);
}

export function bitOf(backendId: number): bigint {
  return 1n << BigInt(backendId);
}

/** Column with the backends that hold a copy at least this sure. */
export function confidenceColumn(confidence: Confidence): string {
  return confidence === "claimed" ? "present_mask" : `${confidence}_mask`;
}

/** The backends of a mask, in the order in which they are given. */
export function backendsIn(mask: bigint, backends: readonly Backend[]): readonly Backend[] {
  return backends.filter((backend) => (mask & bitOf(backend.id)) !== 0n);
}

/** How many backends a mask has. */
export function bitCount(mask: bigint): number {
  return mask.toString(2).replaceAll("0", "").length;
}
