import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "meta",
  scope: "object",
  type: textType,
  nullable: true,
  changes: "edits",
  summary:
    "The value of its tag `key=value`, by key; the first by alphabet when there are several, " +
    "missing when there is none.",
  example: 'meta.project = "atlas"',
  keyed: true,
  sql: (_context, key = "") => sql`(select min(substr(t.tag, ${key.length + 2}::BIGINT)) from tag t
    where t.object_id = o.object_id and starts_with(t.tag, ${`${key}=`}::VARCHAR))`,
};

export default attribute;
