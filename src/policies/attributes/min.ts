import type { ValueFunction } from "#policies/attribute-definition.ts";
import { extremeOf } from "#policies/extreme-of.ts";

const computation: ValueFunction = {
  kind: "computation",
  name: "min",
  scope: "value",
  changes: "edits",
  summary: "The smaller of two values, of points in time the earlier; missing when either is.",
  example: "min(idle, now - modified) > 30d",
  ...extremeOf("least"),
};

export default computation;
