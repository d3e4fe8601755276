import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { timestampType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "modified",
  scope: "object",
  type: timestampType,
  nullable: true,
  changes: "edits",
  summary: "Last change of the source file; missing when unknown.",
  example: "modified >= now - 7d",
  sql: () => sql`o.modified`,
};

export default attribute;
