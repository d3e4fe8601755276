import { bitOf } from "#policies/plan/mask-sql.ts";
import type { Planning } from "#policies/plan/planning.ts";

/** Which backends with a copy of an object are known to be no storage of their own. */
export function sameStorageWords(
  { set }: Pick<Planning, "set">,
  copies: bigint,
): readonly string[] {
  const { backends } = set.moment;
  const isThere = (id: number) => (copies & bitOf(id)) !== 0n;
  return backends.flatMap(({ id, name, sameAs = [] }) => {
    const first = backends.filter((one) => one.id < id && sameAs.includes(one.id));
    const others = first.filter((one) => isThere(one.id) || isThere(id));
    if (others.length === 0) return [];
    const names = others.map((one) => one.name).join(" and ");
    return [
      `${name} is the same storage as ${names}: a copy on both counts once, and goes from both`,
    ];
  });
}
