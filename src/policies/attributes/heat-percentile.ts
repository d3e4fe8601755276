import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { percentType } from "#policies/expression/value-type.ts";
import { compareHeatPlace, heatPlace } from "#policies/heat-places.ts";
import { sql } from "#policies/sql-fragment.ts";

const percentile = { value: sql`(colder::DOUBLE / total::DOUBLE)`, grows: true };

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "heat_percentile",
  scope: "object",
  type: percentType,
  nullable: false,
  changes: "reads",
  amongObjects: true,
  summary: "Share of all objects that are colder: at least 90% for no more than a tenth of them.",
  example: "heat_percentile >= 90%",
  sql: () => heatPlace(percentile),
  compare: (_, operator, constant) => compareHeatPlace(percentile, operator, constant),
};

export default attribute;
