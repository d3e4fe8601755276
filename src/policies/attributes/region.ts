import type { CopyAttribute } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";

const attribute: CopyAttribute = {
  kind: "attribute",
  name: "region",
  scope: "backend",
  type: textType,
  nullable: true,
  changes: "inventory",
  summary: "Region of the backend; missing when not configured.",
  example: 'region like "eu-*"',
  value: ({ backend }) => backend.region ?? null,
};

export default attribute;
