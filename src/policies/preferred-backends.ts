import type { Moment } from "#policies/compiled-policy.ts";
import { evaluate } from "#policies/expression/evaluate.ts";
import type { LiteralValue } from "#policies/expression/syntax.ts";
import { bitOf } from "#policies/plan/mask-sql.ts";
import type { OrderKey } from "#policies/policy.ts";

/** The backends of an inventory in the order of the keys; those that are alike stand together. */
export function preferredBackends(
  keys: readonly OrderKey[] | undefined,
  { backends, now }: Moment,
): { readonly prefer?: readonly bigint[] } {
  if (keys === undefined) return {};
  const compare = (one: Place, other: Place) =>
    keys.reduce((found, key, at) => found || compareBy(key, one.values[at], other.values[at]), 0);
  const places = backends
    .map((backend): Place => ({
      bit: bitOf(backend.id),
      values: keys.map(({ key }) => evaluate(key, now, { backend, confidence: "claimed" })),
    }))
    .toSorted(compare);
  const prefer = places.map((place) =>
    places.reduce((mask, other) => (compare(place, other) === 0 ? mask | other.bit : mask), 0n),
  );
  return { prefer: [...new Set(prefer)] };
}

interface Place {
  readonly bit: bigint;
  readonly values: readonly LiteralValue[];
}

/** Negative when one goes before the other; what is unknown goes last either way. */
function compareBy(
  { key, descending }: OrderKey,
  one: LiteralValue = null,
  other: LiteralValue = null,
): number {
  if (one === other) return 0;
  if (one === null || other === null) return one === null ? 1 : -1;
  const rank = (value: string | number | boolean) =>
    key.type.kind === "ordinal" ? key.type.words.indexOf(String(value)) : value;
  return rank(one) < rank(other) === descending ? 1 : -1;
}
