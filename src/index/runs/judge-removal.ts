import type { SameBackends } from "#index/same-storages.ts";
import { type Confidence, confidences } from "#model/copy.ts";
import type { CopyRequirement, CopySpread } from "#model/plan.ts";
import type { PolicyPromise, PolicyRefusal } from "#model/policy-word.ts";
import type { PermitRefusal } from "#model/removal.ts";

/** Everything the answer to "may this copy go?" rests on, read in one transaction. */
export interface RemovalCase {
  /** `delete` needs a tombstone, all other removals enough copies that remain. */
  readonly authority: "surplus" | "delete";
  readonly victim: number;
  readonly requirements: readonly CopyRequirement[];
  /** Present copies, of any confidence. */
  readonly copies: readonly CopyFact[];
  readonly held: boolean;
  /** Why policies as they are now forbid it, whatever copies there are. */
  readonly refused?: PolicyRefusal | undefined;
  /** What policies promise now, besides what they did when it was planned (`requirements`). */
  readonly promises?: readonly PolicyPromise[] | undefined;
  /** Backends (bit mask) whose copy policies want for a time that is not over. */
  readonly leased?: bigint | undefined;
  /** It was marked for deletion when the run began, and is since. */
  readonly tombstoned: boolean;
  /** Permits for other copies of this object that may still be used. */
  readonly livePermits: readonly LivePermit[];
  /** Backends from which running plans remove this object: reserved last. */
  readonly plannedVictims: ReadonlySet<number>;
  /** Fewest verified copies that remain, at least 1. */
  readonly minimumCopies: number;
  /** Of each backend the others that are the same storage, as far as that was found. */
  readonly sameStorage?: SameBackends;
}

export interface CopyFact {
  readonly backendId: number;
  readonly confidence: Confidence;
  readonly verifiedAt: Date | undefined;
}

export interface LivePermit {
  readonly victim: number;
  readonly reserved: ReadonlySet<number>;
}

export type RemovalJudgement =
  | { readonly permitted: true; readonly reserved: ReadonlyMap<number, Confidence> }
  | {
      readonly permitted: false;
      readonly reason: PermitRefusal["reason"];
      readonly message: string;
    };

/**
 * Decides one removal. A copy that another live permit may remove counts as gone, a copy that
 * another one reserved may not go: so any set of permits, used in any order or not at all,
 * leaves what every one of them promised. Copies on backends that are the same storage go and
 * remain together, and count once.
 */
export function judgeRemoval(removal: RemovalCase): RemovalJudgement {
  const { authority, victim, livePermits, sameStorage = new Map() } = removal;
  if (!removal.copies.some((copy) => copy.backendId === victim)) {
    return refuse("absent", "the index knows no copy there any more");
  }
  if (removal.held) return refuse("held", "a hold protects the object");
  if (authority === "delete" && !removal.tombstoned) {
    return refuse("not-tombstoned", "the mark for deletion was lifted since the run began");
  }
  if (removal.refused !== undefined) return { permitted: false, ...removal.refused };
  const going = withSame([victim], sameStorage);
  if ((maskOf(going) & (removal.leased ?? 0n)) !== 0n) {
    return refuse("ensure", "a rule wants this copy for a time that is not over");
  }
  if (livePermits.some(({ reserved }) => [...reserved].some((id) => going.has(id)))) {
    return refuse("reserved", "another removal of this object rests on this copy");
  }
  const gone = withSame([victim, ...livePermits.map((permit) => permit.victim)], sameStorage);
  const remaining = removal.copies
    .filter((copy) => !gone.has(copy.backendId))
    .toSorted(reservedFirst(removal.plannedVictims, sameStorage));
  const lost = removal.copies.filter((copy) => going.has(copy.backendId));
  const reserved = new Map<number, Confidence>();
  for (const requirement of allRequirements(removal, going)) {
    const refusal = reserve(reserved, { remaining, lost }, requirement, sameStorage);
    if (refusal !== undefined) return refuse("ensure", refusal);
  }
  if (authority === "delete") return { permitted: true, reserved };
  const found = reserveMinimum(reserved, remaining, removal.minimumCopies, sameStorage);
  if (found === removal.minimumCopies) return { permitted: true, reserved };
  return refuse(
    "below-minimum",
    `${found} verified ${found === 1 ? "copy" : "copies"} would remain for certain, ` +
      `${removal.minimumCopies} must`,
  );
}

/** Rests on copies on backends that answer, if that is possible. */
export function judgeReachable(removal: RemovalCase, out: ReadonlySet<number>): RemovalJudgement {
  if (out.size === 0) return judgeRemoval(removal);
  const copies = removal.copies.filter(
    ({ backendId }) => backendId === removal.victim || !out.has(backendId),
  );
  const judgement = judgeRemoval({ ...removal, copies });
  return judgement.permitted ? judgement : judgeRemoval(removal);
}

type Requirement = CopyRequirement & Partial<PolicyPromise>;

/** What the plan requires, and of what policies promise now that for which a copy counts that goes. */
function allRequirements(
  { authority, requirements, promises = [] }: RemovalCase,
  going: ReadonlySet<number>,
): readonly Requirement[] {
  if (authority === "delete") return requirements;
  const gone = maskOf(going);
  return [...requirements, ...promises.filter(({ backends }) => (BigInt(backends) & gone) !== 0n)];
}

function maskOf(backends: ReadonlySet<number>): bigint {
  return [...backends].reduce((mask, id) => mask | (1n << BigInt(id)), 0n);
}

function reserve(
  reserved: Map<number, Confidence>,
  { remaining, lost }: Readonly<Record<"remaining" | "lost", readonly CopyFact[]>>,
  requirement: Requirement,
  sameStorage: SameBackends,
): string | undefined {
  const mask = BigInt(requirement.backends);
  const { rule, place } = requirement;
  const who = place === undefined ? rule : `by now ${rule} (${place})`;
  const counts = (copy: CopyFact): boolean =>
    isIn(copy, mask) && atLeast(copy.confidence, requirement.confidence);
  const eligible = remaining.filter(counts);
  const spread = takeSpread(eligible, reserved, requirement.spread, sameStorage);
  const chosen = takeReservedFirst(eligible, reserved, requirement.copies, sameStorage, spread);
  if (chosen.length < requirement.copies) {
    return (
      `${who} needs ${requirement.copies} ${requirement.confidence} copies, ` +
      `${chosen.length} would remain for certain`
    );
  }
  const { values, per, groups } = requirement.spread ?? noSpread;
  const isParted = (copy: CopyFact): boolean => isIn(copy, mask) && isAlone(copy, spread, groups);
  if (spread.length < values && lost.some(isParted)) {
    return (
      `${who} needs copies in ${values} values of ${per}, ` +
      `they would remain in ${spread.length} for certain`
    );
  }
  for (const copy of chosen) raise(reserved, copy.backendId, requirement.confidence);
  return undefined;
}

const noSpread: CopySpread = { per: "", values: 0, groups: [] };

/**
 * One copy of each value of the spread, as many values as it needs or there are: with each of
 * them reserved, no other removal brings the copies closer together.
 */
function takeSpread(
  copies: readonly CopyFact[],
  reserved: ReadonlyMap<number, Confidence>,
  { values, groups }: CopySpread = noSpread,
  sameStorage: SameBackends,
): readonly CopyFact[] {
  const alone: CopyFact[] = [];
  while (alone.length < values) {
    const further = copies.filter((copy) => isAlone(copy, alone, groups));
    const chosen = takeReservedFirst(further, reserved, alone.length + 1, sameStorage, alone);
    const next = chosen[alone.length];
    if (next === undefined) break;
    alone.push(next);
  }
  return alone;
}

/** Whether none of these copies has the value of this one. */
function isAlone(
  copy: CopyFact,
  copies: readonly CopyFact[],
  groups: CopySpread["groups"],
): boolean {
  const own = groups.map(BigInt).find((group) => isIn(copy, group)) ?? 0n;
  return !copies.some((other) => isIn(other, own));
}

function isIn({ backendId }: CopyFact, mask: bigint): boolean {
  return (mask & (1n << BigInt(backendId))) !== 0n;
}

/** How many verified copies are reserved in the end, at most `minimum`. */
function reserveMinimum(
  reserved: Map<number, Confidence>,
  remaining: readonly CopyFact[],
  minimum: number,
  sameStorage: SameBackends,
): number {
  const verified = remaining.filter((copy) => copy.confidence === "verified");
  const chosen = takeReservedFirst(verified, reserved, minimum, sameStorage);
  for (const copy of chosen) raise(reserved, copy.backendId, "verified");
  return chosen.length;
}

/**
 * Fewest copies reserved: those that are reserved already serve once more, and none that is the
 * same storage as another of them. Those chosen `first` are among them.
 */
function takeReservedFirst(
  copies: readonly CopyFact[],
  reserved: ReadonlyMap<number, Confidence>,
  count: number,
  sameStorage: SameBackends,
  first: readonly CopyFact[] = [],
): readonly CopyFact[] {
  const chosen = [...first];
  const taken = new Set([...reserved.keys(), ...first.map(({ backendId }) => backendId)]);
  for (const copy of copies.toSorted(
    (a, b) => Number(reserved.has(b.backendId)) - Number(reserved.has(a.backendId)),
  )) {
    if (chosen.length >= count) break;
    if (first.includes(copy)) continue;
    const others = sameStorage.get(copy.backendId) ?? [];
    if ([...others].some((id) => taken.has(id))) continue;
    chosen.push(copy);
    taken.add(copy.backendId);
  }
  return chosen;
}

/** These backends, and all that are the same storage as one of them. */
function withSame(backends: readonly number[], sameStorage: SameBackends): ReadonlySet<number> {
  return new Set(backends.flatMap((id) => [id, ...(sameStorage.get(id) ?? [])]));
}

/**
 * Copies that no plan wants to remove, then those that are the same storage as the fewest others,
 * so that as many as can be count, then the most recently verified ones.
 */
function reservedFirst(plannedVictims: ReadonlySet<number>, sameStorage: SameBackends) {
  const others = ({ backendId }: CopyFact): number => sameStorage.get(backendId)?.size ?? 0;
  return (a: CopyFact, b: CopyFact): number =>
    Number(plannedVictims.has(a.backendId)) - Number(plannedVictims.has(b.backendId)) ||
    others(a) - others(b) ||
    (b.verifiedAt?.getTime() ?? 0) - (a.verifiedAt?.getTime() ?? 0) ||
    a.backendId - b.backendId;
}

function raise(reserved: Map<number, Confidence>, backendId: number, level: Confidence): void {
  const known = reserved.get(backendId);
  if (known === undefined || !atLeast(known, level)) reserved.set(backendId, level);
}

function atLeast(confidence: Confidence, level: Confidence): boolean {
  return confidences.indexOf(confidence) >= confidences.indexOf(level);
}

function refuse(reason: PermitRefusal["reason"], message: string): RemovalJudgement {
  return { permitted: false, reason, message };
}
