import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";
import { trusted } from "#policies/sql-fragment.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "state",
  scope: "object",
  type: textType,
  nullable: false,
  changes: "copies",
  summary:
    "`deleting` when it is marked for deletion, `deleted` when its copies are gone since, " +
    "`copying` while a run copies it, `lost` when no copy of it is left, else `stored`.",
  example: 'state = "lost"',
  sql: () =>
    trusted(`(case when o.tombstoned is not null
      then case when o.present_mask = 0 then 'deleted' else 'deleting' end
    when o.in_flight_mask <> 0 then 'copying' when o.present_mask = 0 then 'lost'
    else 'stored' end)`),
};

export default attribute;
