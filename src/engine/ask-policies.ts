import type { EngineContext } from "#engine/context.ts";
import { firstError } from "#engine/first-error.ts";
import type { IndexSession } from "#index/read-session.ts";
import type { EngineError } from "#model/engine-error.ts";
import {
  policiesUnknown,
  type PolicyRefusal,
  type PolicyWord,
  type PolicyWords,
} from "#model/policy-word.ts";
import type { ReadSession } from "#model/sql.ts";
import type { VariableValues } from "#model/variable-values.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { holdStatement } from "#policies/hold-statement.ts";
import { HeatBounds } from "#policies/heat-bounds.ts";
import { policyWords } from "#policies/plan/policy-words.ts";

type Asked = Pick<EngineContext, "index" | "policies" | "moment" | "now">;

/**
 * Reads the policies as they are now and asks them about some objects, before something of these
 * is taken away. Throws `policiesUnknown` while they have an error, cannot be read, or there are
 * none: nobody knows what they want to keep. Where only the values that a plan was given for
 * variables do not fit them any more, its run is refused: no other policies will ever fit it.
 */
export async function askPolicies(
  context: Asked,
  objectIds: readonly number[],
  variables: VariableValues | undefined,
  heats = new HeatBounds(),
): Promise<PolicyWords> {
  await using session = await context.index.session();
  const { standing, agreed } = await policiesOfNow(context, variables, session);
  if (agreed.error !== undefined) {
    const word = { refused: refusalOf(agreed.error) };
    return new Map(objectIds.map((objectId) => [objectId, word]));
  }
  const words = await policyWords(agreed.set, session, objectIds, heats);
  return agreed.set === standing ? words : await withHolds(words, standing, session);
}

/** The policies as they are now; throws `policiesUnknown` where nobody can say what they want. */
export async function policiesOfNow(
  { policies, moment, now }: Omit<Asked, "index">,
  variables?: VariableValues,
  session?: IndexSession,
) {
  const at = await moment(now(), session);
  try {
    return await policies.compileNow(at, variables);
  } catch (error) {
    throw policiesUnknown(firstError(error), error);
  }
}

function refusalOf(error: EngineError): PolicyRefusal {
  return {
    reason: "policies",
    message: `what its plan was given for variables fits the policies no more: ${firstError(error)}`,
  };
}

/** What one plan was given for variables switches off no hold. */
async function withHolds(
  words: PolicyWords,
  standing: CompiledPolicySet,
  session: ReadSession,
): Promise<PolicyWords> {
  const refused = {
    reason: "held",
    message: "a hold of the policies protects the object",
  } as const;
  const rows = await session.rows(holdStatement(standing, [...words.keys()]));
  const held = rows.map(({ object_id: id }): [number, PolicyWord] => {
    const word = words.get(Number(id));
    return [Number(id), { refused, ...word }];
  });
  return new Map([...words, ...held]);
}
