import type { CopyAttribute } from "#policies/attribute-definition.ts";
import { booleanType } from "#policies/expression/value-type.ts";

const attribute: CopyAttribute = {
  kind: "attribute",
  name: "cordoned",
  scope: "backend",
  type: booleanType,
  nullable: false,
  changes: "inventory",
  summary: "Whether it takes no new copies for now.",
  example: "not cordoned",
  value: ({ backend }) => backend.cordoned,
};

export default attribute;
