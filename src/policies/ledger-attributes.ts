import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import { cidType, numberType, textType, timestampType } from "#policies/expression/value-type.ts";
import type { ValueType } from "#policies/expression/value-type.ts";
import { trusted } from "#policies/sql-fragment.ts";

/**
 * The words with which the ledger is asked, in the language of policies. Each is the column of
 * that name in the view `audit`, aliased `l`.
 */
export const ledgerAttributes: AttributeRegistry = new Map(
  [
    word("recorded", timestampType, "When it was recorded.", "recorded >= 2026-11-01"),
    word("kind", textType, "What kind of entry it is.", 'kind in ["proof", "settlement"]'),
    word("outcome", textType, "How the action ended.", 'outcome = "failed"'),
    word("reason", textType, "Why, or the code of the error.", 'reason = "NO_SPACE"'),
    word("message", textType, "Why, in words.", 'message matches "disk"'),
    word("run", textType, "The run it belongs to.", 'run like "run-7-*"'),
    word("plan", textType, "CID of the plan.", 'plan like "bafkrei*"'),
    word("action", numberType, "Number of the action in its plan.", "action < 1000"),
    word("policy", textType, "The policy of the action.", 'policy = "cool-down"'),
    word("rule", textType, "The rule of the action.", 'rule like "cool-down/*"'),
    word("verb", textType, "The verb of the action.", 'verb = "delete"'),
    word("backend", textType, "The backend it is about.", 'backend = "s3-archive"'),
    word("cid", cidType, "The object it is about.", `cid = ${exampleCid()}`),
    word("path", textType, "First name of the object.", 'path like "/datasets/**"'),
    word("actor", textType, "Who had it done.", "not missing(actor)"),
    word("note", textType, "The reason they gave.", 'note matches "(?i)incident"'),
  ].map((attribute) => [attribute.name, attribute]),
);

function exampleCid(): string {
  return "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
}

function word(name: string, type: ValueType, summary: string, example: string): ObjectAttribute {
  return {
    kind: "attribute",
    name,
    scope: "object",
    type,
    nullable: name !== "recorded" && name !== "kind",
    changes: "never",
    summary,
    example,
    sql: () => trusted(`l.${name}`),
  };
}
