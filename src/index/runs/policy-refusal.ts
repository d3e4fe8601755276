import type { OpenAction } from "#index/runs/step-batch.ts";
import type { Transaction } from "#index/transaction.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import type { CommitContext } from "#model/index-store.ts";
import type { PolicyRefusal, PolicyWord, PolicyWords } from "#model/policy-word.ts";

/**
 * What policies say right now of the objects of which something would be taken away; nobody is
 * asked about others. One question for all of them.
 */
export async function askAbout(
  transaction: Transaction,
  run: RunRecord,
  fresh: readonly OpenAction[],
  context: CommitContext,
): Promise<PolicyWords> {
  const ids = fresh
    .filter((action) => action.victim !== null || action.verb === "tombstone")
    .map((action) => action.object_id);
  if (ids.length === 0) return new Map();
  const { variables } = await transaction.row<{ variables: string | null }>(
    "SELECT json_extract(header, '$.variables')::VARCHAR AS variables FROM plans WHERE plan_key = $1",
    [run.planKey],
  );
  const values =
    variables === null ? undefined : (JSON.parse(variables) as Readonly<Record<string, string>>);
  return await context.askPolicies([...new Set(ids)], values);
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
