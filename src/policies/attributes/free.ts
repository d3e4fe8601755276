import type { CopyAttribute } from "#policies/attribute-definition.ts";
import { bytesType } from "#policies/expression/value-type.ts";

const attribute: CopyAttribute = {
  kind: "attribute",
  name: "free",
  scope: "backend",
  type: bytesType,
  nullable: true,
  changes: "inventory",
  summary: "Room for new copies; missing when no bound is known.",
  example: "free > 100GiB",
  value: ({ backend }) => backend.freeBytes ?? null,
};

export default attribute;
