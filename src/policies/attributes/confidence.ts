import type { CopyAttribute } from "#policies/attribute-definition.ts";
import { confidenceType } from "#policies/expression/value-type.ts";

const attribute: CopyAttribute = {
  kind: "attribute",
  name: "confidence",
  scope: "copy",
  type: confidenceType,
  nullable: false,
  changes: "copies",
  summary: "How sure we are of a copy; claimed < listed < sampled < verified.",
  example: "copies(confidence >= verified) >= 2",
  value: (copy) => copy.confidence,
};

export default attribute;
