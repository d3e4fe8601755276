import type { CopyAttribute } from "#policies/attribute-definition.ts";
import { bytesType } from "#policies/expression/value-type.ts";

const attribute: CopyAttribute = {
  kind: "attribute",
  name: "used",
  scope: "backend",
  type: bytesType,
  nullable: false,
  changes: "inventory",
  summary: "Bytes of copies on the backend.",
  example: "used < 10TiB",
  value: ({ backend }) => backend.usedBytes,
};

export default attribute;
