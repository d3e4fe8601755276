import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "owner",
  scope: "object",
  type: textType,
  nullable: true,
  changes: "edits",
  summary: "Who answers for it; missing when unknown.",
  example: 'owner in ["ana", "ben"]',
  isColumn: true,
  sql: () => sql`o.owner`,
};

export default attribute;
