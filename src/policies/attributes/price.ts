import type { CopyAttribute } from "#policies/attribute-definition.ts";
import { quantity } from "#policies/expression/value-type.ts";
import { unitNamed, unitPer } from "#policies/expression/units.ts";

const attribute: CopyAttribute = {
  kind: "attribute",
  name: "price",
  scope: "backend",
  type: quantity({ money: 1, bytes: -1, time: -1 }),
  nullable: false,
  changes: "inventory",
  summary: "What it charges for storage, by its price card; nothing when it has none.",
  example: "price <= 0.01 USD/GiB/month",
  // Divided as literals are, so that the same price is equal to the last bit.
  value: ({ backend }) => backend.price.perGibMonth / gib / month,
};

const gib = unitNamed("GiB")?.factor ?? 1;
const month = unitPer("month")?.factor ?? 1;

export default attribute;
