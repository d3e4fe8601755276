import {
  type CopyFact,
  judgeReachable,
  type RemovalCase,
  type RemovalJudgement,
} from "#index/runs/judge-removal.ts";
import type { SameBackends } from "#index/same-storages.ts";

/** What a refusal tells of backends. */
interface BackendFacts {
  readonly names: ReadonlyMap<number, string>;
  /** Backends that do not answer now. */
  readonly out: ReadonlySet<number>;
  readonly same: SameBackends;
}

/**
 * Judges a removal; a refusal says which of the known copies did not count, and which of them as
 * one.
 */
export function judgeInWords(
  removal: RemovalCase,
  known: readonly CopyFact[],
  facts: BackendFacts,
): RemovalJudgement {
  const judgement = judgeReachable(removal, facts.out);
  if (judgement.permitted) return judgement;
  const held = removal.copies.map(({ backendId }) => backendId);
  const left = known.map(({ backendId }) => backendId).filter((id) => !held.includes(id));
  const isCount = judgement.reason === "ensure" || judgement.reason === "below-minimum";
  const words = [...(isCount ? leftOut(left, facts) : []), ...sameAmong(held, facts)];
  return { ...judgement, message: [judgement.message, ...words].join("; ") };
}

/** Copies that would have to count, were their backends still configured. */
function leftOut(left: readonly number[], { names }: BackendFacts): readonly string[] {
  if (left.length === 0) return [];
  const backends = left.map((id) => names.get(id)).join(", ");
  return [`copies on backends that are not configured do not count (${backends})`];
}

function sameAmong(
  held: readonly number[],
  { same, names }: Pick<BackendFacts, "same" | "names">,
): readonly string[] {
  const pairs = held.flatMap((one) =>
    held
      .filter((other) => one < other && same.get(one)?.has(other) === true)
      .map((other) => `${names.get(one)} and ${names.get(other)}`),
  );
  return pairs.length === 0 ? [] : [`${pairs.join(", ")} are the same storage`];
}
