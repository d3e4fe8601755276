import type { ObjectAttribute } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";

const attribute: ObjectAttribute = {
  kind: "attribute",
  name: "path",
  scope: "object",
  type: textType,
  nullable: true,
  changes: "edits",
  summary:
    "A name the object is known under, from the root of its collection. Protective rules match when any of its names does, all others only when every name does.",
  example: 'path like "/scratch/**"',
  isColumn: true,
  sql: ({ path }) => path,
  byName: true,
};

export default attribute;
