import { type CopyGoal, reaches } from "#index/runs/storages-of-copies.ts";
import type { SameBackends } from "#index/same-storages.ts";
import { atLeast, type Confidence, confidences } from "#model/copy.ts";

/** What must remain of copies on some backends, at least as sure as that. */
export interface Demand {
  readonly among: (backend: number) => boolean;
  readonly confidence: Confidence;
  readonly goal: CopyGoal;
}

/**
 * Of copies that meet all demands together those that do so with none to spare, and how sure each
 * has to be: what comes last among them is left out first. As more copies never harm a demand, no
 * one that is left out was needed, and none is kept that could be left out.
 */
export function leastReserved(
  copies: readonly { readonly backendId: number; readonly confidence: Confidence }[],
  demands: readonly Demand[],
  sameStorage: SameBackends,
): ReadonlyMap<number, Confidence> {
  const asked = confidences.filter((level) => demands.some((one) => one.confidence === level));
  const reserved = new Map(copies.map(({ backendId, confidence }) => [backendId, confidence]));
  const isMet = ({ among, confidence, goal }: Demand): boolean => {
    const counted = [...reserved].flatMap(([id, level]) =>
      among(id) && atLeast(level, confidence) ? [id] : [],
    );
    return reaches(counted, sameStorage, goal);
  };
  for (const { backendId, confidence } of copies.toReversed()) {
    reserved.delete(backendId);
    for (const level of asked) {
      if (!atLeast(confidence, level) || demands.every(isMet)) break;
      reserved.set(backendId, level);
    }
  }
  return reserved;
}
