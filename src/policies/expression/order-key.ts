import type { ValueType } from "#policies/expression/value-type.ts";

/** `heat desc` → the expression and its direction; ascending without a word. */
export function splitDirection(text: string): {
  readonly text: string;
  readonly descending: boolean;
} {
  const direction = /\s+(asc|desc)\s*$/.exec(text);
  if (direction === null) return { text, descending: false };
  return { text: text.slice(0, direction.index), descending: direction[1] === "desc" };
}

/** Whether objects can be put in an order by values of this type. */
export function givesOrder(type: ValueType): boolean {
  return !["boolean", "tags", "null"].includes(type.kind);
}
