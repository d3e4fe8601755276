import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { numberType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "depth",
  scope: "object",
  type: numberType,
  nullable: true,
  changes: "edits",
  summary: "How many folders its path goes through: 0 for `/a.txt`, 2 for `/films/1999/a.mkv`.",
  example: "depth > 3",
  sql: ({ path }) => sql`(len(string_split(ltrim(${path}, '/'), '/')) - 1)::BIGINT`,
  byName: true,
};

export default attribute;
