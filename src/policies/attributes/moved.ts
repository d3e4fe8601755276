import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { timestampType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "moved",
  scope: "object",
  type: timestampType,
  nullable: true,
  changes: "copies",
  summary: "Last promotion, demotion or eviction; missing when there was none.",
  example: "missing(moved) or moved <= now - 7d",
  sql: () => sql`o.moved`,
};

export default attribute;
