import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { numberType } from "#policies/expression/value-type.ts";
import { compareHeatPlace, heatPlace } from "#policies/heat-places.ts";
import { sql } from "#policies/sql-fragment.ts";

const rank = { value: sql`(hotter + 1)::BIGINT`, grows: false };

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "heat_rank",
  scope: "object",
  type: numberType,
  nullable: false,
  changes: "reads",
  amongObjects: true,
  summary: "Place of its heat among all objects, 1 for the hottest; equal heats share a place.",
  example: "heat_rank <= 100",
  sql: () => heatPlace(rank),
  compare: (_, operator, constant) => compareHeatPlace(rank, operator, constant),
};

export default attribute;
