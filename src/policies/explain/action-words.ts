import type { BlockReason, PlanAction } from "#model/plan.ts";
import type { CompiledVerb } from "#policies/compiled-policy.ts";
import { runWords } from "#policies/run-actions/run-actions.ts";

/** Names of backends by id. */
export type BackendNames = ReadonlyMap<number, string>;

/** One action in words: "copy from hot to cold, then remove it from hot". */
export function actionWords(
  { verb, source, target, victim }: Pick<PlanAction, "verb" | "source" | "target" | "victim">,
  names: BackendNames,
  wish?: CompiledVerb,
): string {
  const name = (id: number | null) => (id === null ? "nowhere" : (names.get(id) ?? `#${id}`));
  if (verb === "verify") return `check the copy on ${name(source)}`;
  if (wish?.kind === "run") return `it ${runWords(wish.order)}`;
  if (verb === "tombstone") return "mark it for deletion and start its grace";
  if (verb === "delete") return `delete the copy on ${name(victim)}: its grace is over`;
  const remove = `remove the copy on ${name(victim)}`;
  if (target === null) return remove;
  const copy = `copy from ${name(source)} to ${name(target)}`;
  return victim === null ? copy : `${copy}, then ${remove}`;
}

/** Why a rule that matches could not be given what it wants. */
export const blockWords: Readonly<Record<BlockReason, string>> = {
  held: "the object is held",
  "minimum-copies": "too few verified copies would remain",
  ensure: "a rule that protects copies needs this one",
  capacity: "no selected backend has room",
  cordon: "the backends that could take it are cordoned",
  "no-target": "no selected backend can take another copy",
  "no-source": "no copy can be read",
  limit: "the limit of the rule is used up by objects before it",
  budget: "what its budget has left is not enough",
  grace: "its grace is not over",
  group: "another object of its collection cannot have the same, and they go together",
  "not-supported": "the backend cannot remove copies",
  quarantined: "it failed too often for the same cause",
  locked: "the backend lets nobody remove the copy",
  "break-even": "it would cost more than it saves within the horizon of the policy",
  unverified: "the only copy is not verified; run verify on it",
};

/** The same, with the limit that did it when it was not the rule's own, or the others that did. */
export function wordsOfBlock({ reason, detail }: WordedBlock): string {
  if (detail === undefined) return blockWords[reason];
  if (reason === "break-even") return detail;
  if (reason === "budget") return `${blockWords.budget}: ${detail}`;
  return reason === "group" ? `${blockWords.group}: ${detail}` : `it exceeds ${detail}`;
}

/** A reason and, in words, whose limit it was, or which objects of a collection. */
export interface WordedBlock {
  readonly reason: BlockReason;
  readonly detail?: string | undefined;
}
