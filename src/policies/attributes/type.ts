import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "type",
  scope: "object",
  type: textType,
  nullable: true,
  changes: "edits",
  summary: "Media type; missing when unknown.",
  example: 'type like "image/*"',
  isColumn: true,
  sql: () => sql`o.type`,
};

export default attribute;
