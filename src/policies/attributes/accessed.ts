import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { timestampType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "accessed",
  scope: "object",
  type: timestampType,
  nullable: true,
  changes: "reads",
  summary: "Last read; missing when it was never read.",
  example: "missing(accessed)",
  sql: () => sql`o.accessed`,
};

export default attribute;
