import { type Demand, leastReserved } from "#index/runs/least-reserved.ts";
import { anywhere, mostCopies, mostValues, reaches } from "#index/runs/storages-of-copies.ts";
import type { SameBackends } from "#index/same-storages.ts";
import { atLeast, type Confidence } from "#model/copy.ts";
import type { CopyRequirement } from "#model/plan.ts";
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
 * Decides one removal, and on which copies it rests.
 *
 * What is counted: the most copies among some of which no two are on the same storage, and the
 * most values of a spread in which such copies lie. Further copies take away from neither. So all
 * that a permit promises it promises by its reserved copies alone: as many as each requirement
 * asks for and as must remain, in as many values as it asks for, or as there are with all copies
 * that are there now, if these are fewer. Of the victim its names count whatever is known of
 * them: an unproven copy can be checked where it is.
 *
 * A copy that another live permit may remove counts as gone, a copy that another one reserved may
 * not go, and what is one storage goes together. So any set of permits, used in any order or not
 * at all, leaves what every one of them promised. Backends that are out of reach change nothing of
 * what is promised; a permit that can rest on others does.
 *
 * A plan lets nothing go that this would not permit, as long as nothing changed: what a plan leaves
 * is enough, by a count that finds no more than this one (src/policies/plan/copy-promise.ts), and
 * what plans want to remove is reserved last.
 */
export function judgeRemoval(
  removal: RemovalCase,
  out: OutOfReach = { backends: new Set(), mayServe: true },
): RemovalJudgement {
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
    .filter(({ backendId }) => !gone.has(backendId))
    .filter(({ backendId }) => out.mayServe || !out.backends.has(backendId))
    .toSorted(reservedFirst(removal, out.backends));
  const demands: Demand[] = [];
  for (const requirement of allRequirements(removal, going)) {
    const demand = demandOf(removal, going, requirement);
    const refusal = brokenBy(demand, requirement, remaining, sameStorage);
    if (refusal !== undefined) return refuse("ensure", refusal);
    demands.push(demand);
  }
  if (authority === "surplus") {
    const floor = floorOf(removal.minimumCopies);
    const found = mostCopies(countedBy(floor, remaining), sameStorage);
    if (found < removal.minimumCopies) {
      return refuse(
        "below-minimum",
        `${found} verified ${found === 1 ? "copy" : "copies"} would remain for certain, ` +
          `${removal.minimumCopies} must`,
      );
    }
    demands.push(floor);
  }
  return { permitted: true, reserved: leastReserved(remaining, demands, sameStorage) };
}

/**
 * Rests on copies on backends that answer, if that is possible; otherwise on any. What the first
 * permits the second would: the same is promised, by fewer copies to choose from.
 */
export function judgeReachable(removal: RemovalCase, out: ReadonlySet<number>): RemovalJudgement {
  if (out.size > 0) {
    const judgement = judgeRemoval(removal, { backends: out, mayServe: false });
    if (judgement.permitted) return judgement;
  }
  return judgeRemoval(removal, { backends: out, mayServe: true });
}

/** Backends that do not answer, and whether a permit may rest on copies there all the same. */
interface OutOfReach {
  readonly backends: ReadonlySet<number>;
  readonly mayServe: boolean;
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

/**
 * What the copies that remain have to meet for a requirement. Before the removal there is all
 * that counts for it, whoever else may take it or does not answer, and what goes.
 */
function demandOf(
  { copies, sameStorage = new Map() }: RemovalCase,
  going: ReadonlySet<number>,
  { backends, confidence, copies: wanted, spread }: Requirement,
): Demand {
  const mask = BigInt(backends);
  const among = (id: number): boolean => (mask & (1n << BigInt(id))) !== 0n;
  if (spread === undefined) return { among, confidence, goal: { ...anywhere, copies: wanted } };
  const groups = spread.groups.map(BigInt);
  const valueOf = (id: number): number =>
    groups.findIndex((group) => (group & (1n << BigInt(id))) !== 0n);
  const before = copies
    .filter((copy) => atLeast(copy.confidence, confidence) || going.has(copy.backendId))
    .flatMap(({ backendId }) => (among(backendId) ? [backendId] : []));
  const there = mostValues(before, sameStorage, { copies: 0, values: spread.values, valueOf });
  return { among, confidence, goal: { copies: wanted, values: there, valueOf } };
}

/** So many verified copies, wherever they are. */
function floorOf(copies: number): Demand {
  return { among: () => true, confidence: "verified", goal: { ...anywhere, copies } };
}

function countedBy({ among, confidence }: Demand, copies: readonly CopyFact[]): readonly number[] {
  return copies.flatMap((copy) =>
    among(copy.backendId) && atLeast(copy.confidence, confidence) ? [copy.backendId] : [],
  );
}

/** Why these copies do not meet a requirement; undefined when they do. */
function brokenBy(
  demand: Demand,
  { rule, place, spread, copies, confidence }: Requirement,
  remaining: readonly CopyFact[],
  sameStorage: SameBackends,
): string | undefined {
  const counted = countedBy(demand, remaining);
  if (reaches(counted, sameStorage, demand.goal)) return undefined;
  const who = place === undefined ? rule : `by now ${rule} (${place})`;
  const found = mostCopies(counted, sameStorage);
  if (found < copies || spread === undefined) {
    return `${who} needs ${copies} ${confidence} copies, ${found} would remain for certain`;
  }
  const values = mostValues(counted, sameStorage, demand.goal);
  return (
    `${who} needs copies in ${spread.values} values of ${spread.per}, ` +
    `they would remain in ${values} for certain`
  );
}

/** These backends, and all that are the same storage as one of them. */
function withSame(backends: readonly number[], sameStorage: SameBackends): ReadonlySet<number> {
  return new Set(backends.flatMap((id) => [id, ...(sameStorage.get(id) ?? [])]));
}

/**
 * Copies that no plan wants to remove, on backends that answer, then those that are the same
 * storage as the fewest others, then the most recently verified ones.
 */
function reservedFirst(
  { plannedVictims, sameStorage }: RemovalCase,
  out: ReadonlySet<number>,
): (a: CopyFact, b: CopyFact) => number {
  const others = ({ backendId }: CopyFact): number => sameStorage?.get(backendId)?.size ?? 0;
  return (a: CopyFact, b: CopyFact): number =>
    Number(plannedVictims.has(a.backendId)) - Number(plannedVictims.has(b.backendId)) ||
    Number(out.has(a.backendId)) - Number(out.has(b.backendId)) ||
    others(a) - others(b) ||
    (b.verifiedAt?.getTime() ?? 0) - (a.verifiedAt?.getTime() ?? 0) ||
    a.backendId - b.backendId;
}

function refuse(reason: PermitRefusal["reason"], message: string): RemovalJudgement {
  return { permitted: false, reason, message };
}
