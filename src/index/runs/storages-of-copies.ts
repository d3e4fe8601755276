import type { SameBackends } from "#index/same-storages.ts";

/** How many copies, and in how many values of a spread they lie. */
export interface CopyGoal {
  readonly copies: number;
  readonly values: number;
  /** The value of a backend, negative when it has none. */
  readonly valueOf: (backend: number) => number;
}

/** A goal without a spread; the copies are still to be said. */
export const anywhere: CopyGoal = { copies: 0, values: 0, valueOf: () => 0 };

/**
 * Whether copies on some of these backends, of which no two are the same storage, are as many as a
 * goal says and lie in as many values. More backends never make this false. It is exact, also where
 * one backend spans several storages that are not the same themselves; it looks at more than
 * one choice only between names of a storage that have different values, or that span others.
 */
export function reaches(
  backends: readonly number[],
  same: SameBackends,
  goal: CopyGoal,
  taken: Choice = nothing,
): boolean {
  const { valueOf } = goal;
  const othersOf = (id: number) => backends.filter((other) => same.get(id)?.has(other) === true);
  const open = backends.map((id) => ({ id, others: othersOf(id) }));
  const tangled = open
    .filter(({ others }) => others.length > 0)
    .toSorted((a, b) => a.others.length - b.others.length);
  // What is no other name of anything here takes nothing away from anybody.
  const own = open.filter(({ others }) => others.length === 0).map(({ id }) => id);
  const now = withCopies(taken, own, valueOf);
  if (now.copies >= goal.copies && now.values.size >= goal.values) return true;
  const rest = tangled.map(({ id }) => id);
  const most = withCopies(now, rest, valueOf);
  const [first] = tangled;
  if (first === undefined || most.copies < goal.copies || most.values.size < goal.values) {
    return false;
  }
  const { id, others } = first;
  const left = rest.filter((other) => other !== id);
  const apart = left.filter((other) => !others.includes(other));
  if (reaches(apart, same, goal, withCopies(now, [id], valueOf))) return true;
  const isOneStorage = others.every((one) =>
    others.every((other) => one === other || same.get(one)?.has(other) === true),
  );
  const adds = (other: number): boolean =>
    now.values.size < goal.values &&
    valueOf(other) >= 0 &&
    valueOf(other) !== valueOf(id) &&
    !now.values.has(valueOf(other));
  // Any other name of its one storage would do no better.
  if (isOneStorage && !others.some(adds)) return false;
  return reaches(left, same, goal, now);
}

/** Copies that count already. */
interface Choice {
  readonly copies: number;
  readonly values: ReadonlySet<number>;
}

const nothing: Choice = { copies: 0, values: new Set() };

function withCopies(
  { copies, values }: Choice,
  more: readonly number[],
  valueOf: CopyGoal["valueOf"],
): Choice {
  const found = more.map(valueOf).filter((value) => value >= 0);
  return { copies: copies + more.length, values: new Set([...values, ...found]) };
}

/** How many copies there are, each storage counted once. */
export function mostCopies(backends: readonly number[], same: SameBackends): number {
  let copies = 0;
  while (reaches(backends, same, { ...anywhere, copies: copies + 1 })) copies += 1;
  return copies;
}

/** In how many values as many copies as a goal says lie, up to as many as it says. */
export function mostValues(
  backends: readonly number[],
  same: SameBackends,
  goal: CopyGoal,
): number {
  let { values } = goal;
  while (values > 0 && !reaches(backends, same, { ...goal, values })) values -= 1;
  return values;
}
