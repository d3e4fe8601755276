import type { Backend } from "#model/backend.ts";
import { bitCount, bitOf, maskOf, maskSql } from "#policies/plan/mask-sql.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * Backends of which some may be known to be one and the same storage, at least in part: copies
 * there count once, and go together. Where there are none, nothing of this is in any statement.
 */
interface Inventory {
  readonly backends: readonly Backend[];
}

/** The backends that are no storage of their own, with those of them that are the same. */
function shared(backends: readonly Backend[]): readonly { id: number; same: bigint }[] {
  return backends.flatMap(({ id, sameAs = [] }) => {
    const same = maskOf(backends.filter((other) => sameAs.includes(other.id)));
    return same === 0n ? [] : [{ id, same }];
  });
}

/** A mask with all backends that are the same storage as one of it. */
export function withSameBits({ backends }: Inventory, mask: bigint): bigint {
  return shared(backends)
    .filter(({ id }) => (mask & bitOf(id)) !== 0n)
    .reduce((all, { same }) => all | same, mask);
}

/** The same of a mask as SQL. */
export function withSame({ backends }: Inventory, mask: SqlFragment): SqlFragment {
  const others = othersSql(backends);
  return others === undefined ? mask : named(mask, sql`(places | ${others})`);
}

/**
 * Of backends on which a candidate (alias `c`) could get a copy those that are no other name of a
 * storage that holds one already: as sure as it has to be (`held`), or one of any kind.
 */
export function ownStorages(
  { backends }: Inventory,
  open: SqlFragment,
  held: SqlFragment,
): SqlFragment {
  const others = othersSql(backends);
  if (others === undefined) return open;
  const there = sql`(c.present_mask | ${held})`;
  // Of unproven copies on several names of one storage, one can be checked where it is.
  const taken = [held, eachOnce({ backends }, there)].map((mask) => named(mask, others));
  return sql`((${open}) & ~(${joinFragments(taken, " | ")}))`;
}

function othersSql(backends: readonly Backend[]): SqlFragment | undefined {
  const terms = shared(backends).map(
    ({ id, same }) =>
      sql`CASE WHEN (places & ${maskSql(bitOf(id))}) <> 0 THEN ${maskSql(same)} ELSE 0 END`,
  );
  return terms.length === 0 ? undefined : sql`(${joinFragments(terms, " | ")})`;
}

/**
 * A mask with one backend of each storage. One that spans several storages goes first, so that
 * as many as can be remain.
 */
export function eachOnce({ backends }: Inventory, mask: SqlFragment): SqlFragment {
  return foldings(backends).reduce(
    (rest, { bit, same }) =>
      named(
        rest,
        sql`CASE WHEN (places & ${maskSql(same)}) <> 0 THEN places & ~${maskSql(bit)} ELSE places END`,
      ),
    mask,
  );
}

/** The same of a mask that is known. */
export function eachOnceBits({ backends }: Inventory, mask: bigint): bigint {
  return foldings(backends).reduce(
    (rest, { bit, same }) => ((rest & same) === 0n ? rest : rest & ~bit),
    mask,
  );
}

/** Backends in the order in which they are left out, each where one of its `same` is still there. */
function foldings(backends: readonly Backend[]) {
  const order = shared(backends).toSorted(
    (a, b) => bitCount(b.same) - bitCount(a.same) || a.id - b.id,
  );
  return order.flatMap(({ id, same }, at) => {
    const later = order.slice(at + 1).reduce((mask, one) => mask | bitOf(one.id), 0n);
    // The last one of all that are the same storage stays whenever it is there.
    return (same & later) === 0n ? [] : [{ bit: bitOf(id), same }];
  });
}

/** How many copies there are on the backends of a mask. */
export function copiesOn(planning: Inventory, mask: SqlFragment): SqlFragment {
  return sql`bit_count(${eachOnce(planning, mask)})`;
}

/** A lambda over one value gives it a name, `places`: it is looked at more than once. */
export function named(mask: SqlFragment, of: SqlFragment): SqlFragment {
  return sql`list_transform([(${mask})::BIGINT], ${trusted("lambda places")}: ${of})[1]`;
}
