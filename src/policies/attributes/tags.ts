import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { tagsType } from "#policies/expression/value-type.ts";
import { sql, type SqlFragment } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "tags",
  scope: "object",
  type: tagsType,
  nullable: false,
  changes: "edits",
  summary: "Its tags.",
  example: 'tags has "legal-hold"',
  sql: tagList,
  has: (tag) => sql`(o.object_id in (select t.object_id from tag t where t.tag = ${tag}))`,
  empty: () => sql`(o.object_id not in (select t.object_id from tag t))`,
};

function tagList(): SqlFragment {
  return sql`coalesce((select list(t.tag order by t.tag) from tag t
    where t.object_id = o.object_id), [])`;
}

export default attribute;
