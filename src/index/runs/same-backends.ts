import type { SameBackends } from "#index/runs/judge-removal.ts";
import type { CommitContext } from "#model/index-store.ts";

/** Of each backend the others that are the same storage, by their ids. */
export function sameBackends(
  { sameStorage = [] }: CommitContext,
  ids: ReadonlyMap<string, number>,
): SameBackends {
  const same = new Map<number, Set<number>>();
  const add = (one: number, other: number): void => {
    const others = same.get(one) ?? new Set();
    same.set(one, others.add(other));
  };
  for (const [first, second] of sameStorage) {
    const [one, other] = [ids.get(first), ids.get(second)];
    if (one === undefined || other === undefined || one === other) continue;
    add(one, other);
    add(other, one);
  }
  return same;
}
