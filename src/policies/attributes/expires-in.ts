import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { durationType } from "#policies/expression/value-type.ts";
import { elapsedSince } from "#policies/elapsed-since.ts";
import { sql } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "expires_in",
  scope: "object",
  type: durationType,
  nullable: true,
  changes: "time",
  summary:
    "Time until the first of its copies expires at its backend; negative when it is past, " +
    "missing when none expires.",
  example: "expires_in < 30d",
  sql: ({ now }) => sql`(-${elapsedSince(sql`o.nearest_expiry`, now)})`,
};

export default attribute;
