import type { ValueFunction } from "#policies/attribute-definition.ts";
import { extremeOf } from "#policies/extreme-of.ts";

const computation: ValueFunction = {
  kind: "computation",
  name: "max",
  scope: "value",
  changes: "edits",
  summary: "The greater of two values, of points in time the later; missing when either is.",
  example: "now - max(created, modified) > 30d",
  ...extremeOf("greatest"),
};

export default computation;
