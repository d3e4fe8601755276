import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "name",
  scope: "object",
  type: textType,
  nullable: true,
  changes: "edits",
  summary: "The last segment of the path.",
  example: 'name like "*.tmp"',
  sql: ({ path }) => sql`regexp_extract(${path}, '[^/]*$')`,
  byName: true,
};

export default attribute;
