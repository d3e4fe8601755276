import type { CopyAttribute } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";

const attribute: CopyAttribute = {
  kind: "attribute",
  name: "backend",
  scope: "backend",
  type: textType,
  nullable: false,
  changes: "inventory",
  summary: "Name of the backend in the configuration.",
  example: 'backend = "hot"',
  value: ({ backend }) => backend.name,
};

export default attribute;
