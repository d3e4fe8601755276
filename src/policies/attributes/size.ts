import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { bytesType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "size",
  scope: "object",
  type: bytesType,
  nullable: false,
  changes: "never",
  summary: "Bytes of the content itself.",
  example: "size >= 1GiB",
  sql: () => sql`o.size`,
};

export default attribute;
