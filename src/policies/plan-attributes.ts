import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import {
  numberType,
  bytesType,
  quantity,
  type ValueType,
} from "#policies/expression/value-type.ts";
import { trusted } from "#policies/sql-fragment.ts";

/**
 * The words with which `approval: {when}` asks about what a policy does in a plan. Each is a
 * column of `p`, see `neededApprovals`.
 */
export const planAttributes: AttributeRegistry = new Map(
  [
    word("actions", numberType, "Actions of the policy.", "actions > 1000"),
    word("objects", numberType, "Objects that it acts on.", "objects > 100"),
    word("bytes", bytesType, "Each action with the size of its object.", "bytes > 10TiB"),
    word("moved", bytesType, "Bytes that it copies.", "moved > 1TiB"),
    word("freed", bytesType, "Bytes that it removes.", "freed > 1TiB"),
    word("removals", numberType, "Copies that it removes.", "removals > 0"),
    word("deletes", numberType, "Objects that it marks for deletion or deletes.", "deletes > 0"),
    word("cost", quantity({ money: 1 }), "What it costs at once, by price cards.", "cost > 50 USD"),
  ].map((attribute) => [attribute.name, attribute]),
);

function word(name: string, type: ValueType, summary: string, example: string): ObjectAttribute {
  return {
    kind: "attribute",
    name,
    scope: "object",
    type,
    nullable: false,
    changes: "never",
    summary,
    example,
    sql: () => trusted(`p.${name}`),
  };
}
