import type { ValueType } from "#policies/expression/value-type.ts";

/** `heat desc` → the expression and its direction, where one is said. */
export function splitDirection(text: string): {
  readonly text: string;
  readonly direction?: "asc" | "desc";
} {
  // One blank is looked for, not many: a line of blanks would be tried from each of them.
  const direction = /\s(asc|desc)$/.exec(text.trimEnd());
  if (direction === null) return { text };
  const word = direction[1] === "desc" ? "desc" : "asc";
  return { text: text.slice(0, direction.index).trimEnd(), direction: word };
}

/** Whether objects can be put in an order by values of this type. */
export function givesOrder(type: ValueType): boolean {
  return !["boolean", "tags", "null"].includes(type.kind);
}
