import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { timestampType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "created",
  scope: "object",
  type: timestampType,
  nullable: false,
  changes: "never",
  summary: "When the content was created, else when the index first saw it.",
  example: "created < 2026-01-01",
  sql: () => sql`o.created`,
};

export default attribute;
