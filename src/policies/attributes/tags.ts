import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { tagsType } from "#policies/expression/value-type.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "tags",
  scope: "object",
  type: tagsType,
  nullable: false,
  changes: "edits",
  summary: "Its tags: one that is so (`has`), or some that fits a pattern (`like`, `matches`).",
  example: 'tags has "legal-hold" or tags like "legal-*"',
  sql: tagList,
  some: (test) =>
    sql`(o.object_id in (select t.object_id from tag t where ${test(trusted("t.tag"))}))`,
  empty: () => sql`(o.object_id not in (select t.object_id from tag t))`,
};

function tagList(): SqlFragment {
  return sql`coalesce((select list(t.tag order by t.tag) from tag t
    where t.object_id = o.object_id), [])`;
}

export default attribute;
