import type { OpenAction } from "#index/runs/step-batch.ts";
import type { Transaction } from "#index/transaction.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import type { CommitContext } from "#model/index-store.ts";
import {
  arePoliciesUnknown,
  type PolicyRefusal,
  type PolicyWord,
  type PolicyWords,
} from "#model/policy-word.ts";

/** What policies say, or why nobody can tell. */
export type PolicyAnswer =
  | { readonly words: PolicyWords; readonly unknown?: undefined }
  | { readonly unknown: string };

/**
 * What policies say right now of the objects of which something would be taken away. One question
 * for all of them.
 */
export async function askAbout(
  transaction: Transaction,
  run: RunRecord,
  removals: readonly OpenAction[],
  context: CommitContext,
): Promise<PolicyAnswer> {
  if (removals.length === 0) return { words: new Map() };
  const ids = new Set(removals.map((action) => action.object_id));
  const { variables } = await transaction.row<{ variables: string | null }>(
    "SELECT json_extract(header, '$.variables')::VARCHAR AS variables FROM plans WHERE plan_key = $1",
    [run.planKey],
  );
  const values =
    variables === null ? undefined : (JSON.parse(variables) as Readonly<Record<string, string>>);
  try {
    return { words: await context.askPolicies([...ids], values) };
  } catch (error) {
    if (!arePoliciesUnknown(error)) throw error;
    return { unknown: error.message };
  }
}

/** Why policies forbid an action right now, whatever copies there are. */
export function policyRefusal(
  action: Pick<OpenAction, "verb" | "tombstoned">,
  word: PolicyWord | undefined,
  now: Date,
): PolicyRefusal | undefined {
  if (word?.refused !== undefined) return word.refused;
  if (action.verb === "tombstone") return word?.kept;
  if (action.verb !== "delete") return undefined;
  if (word?.kept !== undefined) return word.kept;
  const { grace } = word ?? {};
  if (grace === undefined || action.tombstoned === null) return undefined;
  const over = action.tombstoned.getTime() + grace.ms;
  if (over <= now.getTime()) return undefined;
  const message = `${grace.words}, until ${new Date(over).toISOString()}`;
  return { reason: "unwanted", message };
}
