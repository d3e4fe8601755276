import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { cidType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "cid",
  scope: "object",
  type: cidType,
  nullable: false,
  changes: "never",
  summary: "Root CID of the content.",
  example: "cid = bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy",
  sql: () => sql`o.cid`,
};

export default attribute;
