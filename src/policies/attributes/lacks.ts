import type { ObjectFunction } from "#policies/attribute-definition.ts";
import { evaluate } from "#policies/expression/evaluate.ts";
import { numberType } from "#policies/expression/value-type.ts";
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
  sql: ({ backends, now }, [where]) => {
    const wanted = backends.filter(
      (backend) =>
        where !== undefined && evaluate(where, now, { backend, confidence: "claimed" }) === true,
    );
    return sql`bit_count(~o.present_mask & ${maskSql(maskOf(wanted))})::BIGINT`;
  },
};

export default lacks;
