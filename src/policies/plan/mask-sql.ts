import type { Backend } from "#model/backend.ts";
import type { Confidence } from "#model/copy.ts";
import { type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** A mask as SQL text: it is made of bits of our own, so it may stand in the text. */
export function maskSql(mask: bigint): SqlFragment {
  return trusted(`${BigInt.asIntN(64, mask)}::BIGINT`);
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
