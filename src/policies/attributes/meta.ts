import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";
import { metaValue } from "#policies/meta-value.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "meta",
  scope: "object",
  type: textType,
  nullable: true,
  changes: "edits",
  summary:
    "The value of its tag `key=value`, by key; the first by alphabet when there are several, " +
    "missing when there is none.",
  example: 'meta.project = "atlas"',
  keyed: true,
  sql: (_context, key = "") => metaValue(key),
};

export default attribute;
