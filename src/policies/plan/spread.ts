import type { Backend } from "#model/backend.ts";
import type { CompiledVerb } from "#policies/compiled-policy.ts";
import { backendsIn, bitCount, bitOf, maskSql } from "#policies/plan/mask-sql.ts";
import { copiesOn, eachOnce, eachOnceBits, named } from "#policies/plan/one-storage.ts";
import { spreadValue } from "#policies/spread-value.ts";
import {
  joinFragments,
  sql,
  type SqlFragment,
  toPrintedText,
  trusted,
} from "#policies/sql-fragment.ts";

/** In how many values of an attribute the copies of a rule have to lie. */
export interface Spread {
  /** The attribute: `region`, `tier`, `driver`, `labels.<key>`. */
  readonly per: string;
  /** As many as there are copies, or values where these are fewer; at least 2. */
  readonly values: number;
  /** The backends of each value, as masks; those without one are one value together. */
  readonly groups: readonly bigint[];
}

type Ensure = Extract<CompiledVerb, { kind: "ensure" }>;

interface Inventory {
  readonly backends: readonly Backend[];
}

/**
 * The spread that a rule promises beside its number of copies; undefined when it promises none,
 * or when so many copies cannot lie in fewer values anyway.
 */
export function spreadOf(
  inventory: Inventory,
  { on, per, copies }: Pick<Ensure, "on" | "per" | "copies">,
): Spread | undefined {
  if (per === undefined) return undefined;
  const groups = groupsOf(backendsIn(on, inventory.backends), per);
  const storages = eachOnceBits(inventory, on);
  const there = groups.filter((group) => (group & storages) !== 0n).length;
  const values = Math.min(copies.min, there);
  const sizes = groups.map(bitCount).toSorted((a, b) => b - a);
  const fewer = sizes.slice(0, Math.max(0, values - 1)).reduce((sum, size) => sum + size, 0);
  return values < 2 || copies.min > fewer ? undefined : { per, values, groups };
}

function groupsOf(backends: readonly Backend[], per: string): readonly bigint[] {
  const groups = new Map<string, bigint>();
  for (const backend of backends) {
    const value = spreadValue(backend, per);
    groups.set(value, (groups.get(value) ?? 0n) | bitOf(backend.id));
  }
  // In an order that does not depend on that of the backends.
  return [...groups.values()].toSorted((a, b) => (a < b ? -1 : 1));
}

/** In how many values of a spread the backends of a mask lie: of each storage one name counts. */
export function valuesOn(inventory: Inventory, spread: Spread, mask: SqlFragment): SqlFragment {
  return valuesNamed(spread, eachOnce(inventory, mask));
}

/** The same with every name: in no more values can they lie, whichever name counts. */
export function valuesNamed({ groups }: Spread, mask: SqlFragment): SqlFragment {
  const terms = (places: SqlFragment) =>
    groups.map((group) => sql`((${places} & ${maskSql(group)}) <> 0)::INTEGER`);
  return ofEach(mask, (places) => sql`(${joinFragments(terms(places), " + ")})`);
}

/** All backends with a value that a backend of a mask has. */
export function withPeers(inventory: Inventory, spread: Spread, mask: SqlFragment): SqlFragment {
  const terms = (places: SqlFragment) =>
    spread.groups.map(
      (group) =>
        sql`CASE WHEN (${places} & ${maskSql(group)}) <> 0 THEN ${maskSql(group)} ELSE 0 END`,
    );
  const once = eachOnce(inventory, mask);
  return ofEach(once, (places) => sql`(${joinFragments(terms(places), " | ")})`);
}

/** True when copies on the backends of a mask are fewer, or lie closer, than a rule promises. */
export function lacksCopies(inventory: Inventory, verb: Ensure, mask: SqlFragment): SqlFragment {
  const few = sql`${copiesOn(inventory, mask)} < ${verb.copies.min}::INTEGER`;
  const spread = spreadOf(inventory, verb);
  if (spread === undefined) return few;
  return sql`(${few} OR ${valuesOn(inventory, spread, mask)} < ${spread.values}::INTEGER)`;
}

/** In how many values of an attribute backends lie. */
export function valuesOf(inventory: Inventory, per: string, mask: bigint): number {
  return groupsOf(backendsIn(eachOnceBits(inventory, mask), inventory.backends), per).length;
}

/** A short mask is looked at as it is: to name it takes a list for each object. */
const shortMask = 80;

function ofEach(mask: SqlFragment, of: (places: SqlFragment) => SqlFragment): SqlFragment {
  return toPrintedText(mask).length <= shortMask
    ? of(sql`(${mask})`)
    : named(mask, of(trusted("places")));
}
