import type { CopyAttribute } from "#policies/attribute-definition.ts";
import { tierType } from "#policies/expression/value-type.ts";

const attribute: CopyAttribute = {
  kind: "attribute",
  name: "tier",
  scope: "backend",
  type: tierType,
  nullable: false,
  changes: "inventory",
  summary: "Tier of the backend; cache < hot < warm < cold < archive.",
  example: "tier <= warm",
  value: ({ backend }) => backend.tier,
};

export default attribute;
