import type { ExpressionReader } from "#policies/expression-reader.ts";
import { noClasses } from "#policies/expression/check-context.ts";
import type { Expression } from "#policies/expression/expression.ts";
import { readCondition } from "#policies/expression/read-expression.ts";
import { planAttributes } from "#policies/plan-attributes.ts";
import type { PolicyApproval } from "#policies/policy.ts";
import type { PolicyDocument } from "#policies/policy-schema.ts";
import { field } from "#policies/raw-value.ts";

/** How long a request stands when the policy does not say. */
const standardTtlMs = 3 * 86_400_000;

/** The condition of `approval`, over what the policy does in a plan. */
export function readApprovalCondition(
  raw: unknown,
  reader: ExpressionReader,
): Expression | undefined {
  const when = field(field(raw, "approval"), "when");
  if (typeof when !== "string") return undefined;
  const context = reader.context(["approval", "when"], "object");
  return readCondition(when, { ...context, registry: planAttributes, classes: noClasses });
}

/** Which plans of the policy a person must approve; undefined when none. */
export function buildApproval(
  { approval }: PolicyDocument,
  condition: Expression | undefined,
): PolicyApproval | undefined {
  if (approval === undefined || condition === undefined) return undefined;
  const { when, from, ttl, preventSelfApproval } = approval;
  return {
    condition,
    terms: {
      when,
      ...(from === undefined ? {} : { from }),
      ttlMs: ttl ?? standardTtlMs,
      preventSelfApproval,
    },
  };
}
