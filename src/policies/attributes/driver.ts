import type { CopyAttribute } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";

const attribute: CopyAttribute = {
  kind: "attribute",
  name: "driver",
  scope: "backend",
  type: textType,
  nullable: false,
  changes: "inventory",
  summary: "The kind of storage.",
  example: 'driver = "s3"',
  value: ({ backend }) => backend.driver,
};

export default attribute;
