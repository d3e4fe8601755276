import type { ValueType } from "#policies/expression/value-type.ts";

/** `heat desc` → the expression and its direction, where one is said. */
export function splitDirection(text: string): {
  readonly text: string;
  readonly direction?: "asc" | "desc";
} {
  const direction = /\s+(asc|desc)\s*$/.exec(text);
  if (direction === null) return { text };
  const word = direction[1] === "desc" ? "desc" : "asc";
  return { text: text.slice(0, direction.index), direction: word };
}

/** Whether objects can be put in an order by values of this type. */
export function givesOrder(type: ValueType): boolean {
  return !["boolean", "tags", "null"].includes(type.kind);
}
