import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { durationType } from "#policies/expression/value-type.ts";
import { elapsedSince } from "#policies/elapsed-since.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "age",
  scope: "object",
  type: durationType,
  nullable: false,
  changes: "time",
  summary: "Time since it was created.",
  example: "age > 180d",
  sql: ({ now }) => elapsedSince(sql`o.created`, now),
  since: () => sql`o.created`,
};

export default attribute;
