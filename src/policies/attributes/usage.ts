import type { CopyAttribute } from "#policies/attribute-definition.ts";
import { percentType } from "#policies/expression/value-type.ts";

const attribute: CopyAttribute = {
  kind: "attribute",
  name: "usage",
  scope: "backend",
  type: percentType,
  nullable: true,
  changes: "inventory",
  summary: "Share of its capacity that is used; missing without a capacity.",
  example: "usage < 85%",
  value: ({ backend: { capacityBytes, usedBytes } }) =>
    capacityBytes === undefined || capacityBytes === 0 ? null : usedBytes / capacityBytes,
};

export default attribute;
