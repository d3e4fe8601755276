import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { durationType } from "#policies/expression/value-type.ts";
import { elapsedSince } from "#policies/elapsed-since.ts";
import { sql } from "#policies/sql-fragment.ts";

/** Content that was never read is as idle as it is old in the index. */
const lastUse = sql`coalesce(o.accessed, o.ingested)`;

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "idle",
  scope: "object",
  type: durationType,
  nullable: false,
  changes: "time",
  summary: "Time since its last read, or since the index first saw it when it was never read.",
  example: "idle > 30d",
  sql: ({ now }) => elapsedSince(lastUse, now),
  since: () => lastUse,
};

export default attribute;
