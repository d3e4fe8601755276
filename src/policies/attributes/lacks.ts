import type { ObjectFunction } from "#policies/attribute-definition.ts";
import { numberType } from "#policies/expression/value-type.ts";
import { fittingBackends } from "#policies/fitting-backends.ts";
import { maskOf, maskSql } from "#policies/plan/mask-sql.ts";
import { sql } from "#policies/sql-fragment.ts";

const lacks: ObjectFunction = {
  kind: "function",
  name: "lacks",
  scope: "object",
  type: numberType,
  changes: "copies",
  summary:
    "On how many of the backends that the condition selects there is no copy: 0 when it is on all.",
  example: "lacks(tier <= warm) = 0",
  parameters: [{ name: "where", kind: "condition", of: "backends" }],
  sql: (context, [where]) => {
    const wanted = fittingBackends(where, context);
    return sql`bit_count(~o.present_mask & ${maskSql(maskOf(wanted))})::BIGINT`;
  },
};

export default lacks;
