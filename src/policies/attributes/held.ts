import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { booleanType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "held",
  scope: "object",
  type: booleanType,
  nullable: false,
  changes: "edits",
  summary: "Whether somebody put an explicit hold on it.",
  example: "not held",
  sql: () => sql`o.held`,
};

export default attribute;
