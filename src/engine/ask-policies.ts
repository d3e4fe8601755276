import type { EngineContext } from "#engine/context.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import { EngineError } from "#model/engine-error.ts";
import type { PolicyRefusal, PolicyWord, PolicyWords } from "#model/policy-word.ts";
import type { ReadSession } from "#model/sql.ts";
import type { VariableValues } from "#model/variable-values.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { holdStatement } from "#policies/hold-statement.ts";
import { policyWords } from "#policies/plan/policy-words.ts";

/**
 * Reads the policies as they are now and asks them about some objects, before something of these
 * is taken away. While they have an error, or there are none, nobody knows what they want to keep:
 * all is refused. That they cannot be read for a moment is an error of that moment, and thrown.
 */
export async function askPolicies(
  { index, policies, moment, now }: Pick<EngineContext, "index" | "policies" | "moment" | "now">,
  objectIds: readonly number[],
  variables: VariableValues | undefined,
): Promise<PolicyWords> {
  const at = await moment(now());
  let standing: CompiledPolicySet;
  let agreed: CompiledPolicySet;
  try {
    standing = await policies.compile(at);
    agreed = variables === undefined ? standing : await policies.compile(at, { variables });
  } catch (error) {
    if (!saysWhatPoliciesLack(error)) {
      throw EngineError.from(error, isSystemError(error) ? "UNAVAILABLE" : "INTERNAL");
    }
    const word = { refused: refusalOf(error) };
    return new Map(objectIds.map((objectId) => [objectId, word]));
  }
  await using session = await index.session();
  const words = await policyWords(agreed, session, objectIds);
  return agreed === standing ? words : await withHolds(words, standing, session);
}

function saysWhatPoliciesLack(error: unknown): error is EngineError {
  return error instanceof EngineError && ["INVALID_DOCUMENT", "NOT_FOUND"].includes(error.code);
}

/** Too many open files, a file that is just being replaced: another try finds another answer. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function refusalOf({ message, details }: EngineError): PolicyRefusal {
  const found = (details["diagnostics"] ?? []) as readonly Diagnostic[];
  const first = found.find(({ severity }) => severity === "error");
  const { line, column } = first?.range.start ?? {};
  const where = first && `: ${first.file}:${line}:${column}: ${first.message}`;
  return {
    reason: "policies",
    message: `what the policies want to keep cannot be told: ${message}${where ?? ""}`,
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
