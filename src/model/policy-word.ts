import { EngineError } from "#model/engine-error.ts";
import type { CopyRequirement } from "#model/plan.ts";
import type { WaitReason } from "#model/wait.ts";

/** What the policies of now say of one object, whatever they said when a run was planned. */
export interface PolicyWord {
  /** Why no copy of it may go at all. */
  readonly refused?: PolicyRefusal;
  /** Why it may not be marked for deletion, nor deleted; a plan of now would do neither. */
  readonly kept?: PolicyRefusal;
  /** How long its mark for deletion must stand before it is deleted. */
  readonly grace?: { readonly words: string; readonly ms: number };
  /** What must still hold after a removal of a copy that counts for it. */
  readonly promises?: readonly PolicyPromise[];
  /** Backends (bit mask over their ids) whose copy a rule wants for a time that is not over. */
  readonly leased?: bigint;
}

/** What a rule wants to remain, with the place where it stands: `file:line:column`. */
export interface PolicyPromise extends CopyRequirement {
  readonly place: string;
}

export interface PolicyRefusal {
  /** `unwanted`: no rule wants it deleted; `policies`: nobody can say what they want of its run. */
  readonly reason: "held" | "ensure" | "unwanted" | "policies";
  readonly message: string;
}

/** By object; of an object without an entry policies say nothing. */
export type PolicyWords = ReadonlyMap<number, PolicyWord>;

/** Values that variables of policies have in the place of their defaults. */
type Variables = Readonly<Record<string, string>>;

/**
 * Asks the policies as they are right now about some objects. Holds count as written; all else
 * with the values that variables were given when the run was planned. Throws `policiesUnknown`
 * while nobody can say what policies want: whoever asks waits, and asks again.
 */
export type AskPolicies = (
  objectIds: readonly number[],
  variables: Variables | undefined,
) => Promise<PolicyWords>;

/** Nobody can tell what the policies want to keep: they have an error, or cannot be read. */
export function policiesUnknown(message: string, cause?: unknown): EngineError {
  const wait: WaitReason = "policies";
  return new EngineError("UNAVAILABLE", message, {
    hint: "correct them (thermocline validate): removals go on by themselves",
    details: { wait },
    cause,
  });
}

/** Whether an error is that of `policiesUnknown`. */
export function arePoliciesUnknown(error: unknown): error is EngineError {
  return error instanceof EngineError && error.details["wait"] === "policies";
}
