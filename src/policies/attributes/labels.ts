import type { CopyAttribute } from "#policies/attribute-definition.ts";
import { textType } from "#policies/expression/value-type.ts";

const attribute: CopyAttribute = {
  kind: "attribute",
  name: "labels",
  scope: "backend",
  type: textType,
  nullable: true,
  changes: "inventory",
  summary: "A label of the backend, by key.",
  example: 'labels.rack = "r12"',
  value: ({ backend }, key) => labelOf(backend.labels, key),
  keyed: true,
};

function labelOf(labels: Readonly<Record<string, string>>, key: string | undefined): string | null {
  return key !== undefined && Object.hasOwn(labels, key) ? (labels[key] ?? null) : null;
}

export default attribute;
