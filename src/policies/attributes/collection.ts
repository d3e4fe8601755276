import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "collection",
  scope: "object",
  type: textType,
  nullable: true,
  changes: "edits",
  summary: "The collection it was imported into; missing when in none.",
  example: 'collection = "datasets"',
  isColumn: true,
  sql: () => sql`o.collection`,
};

export default attribute;
