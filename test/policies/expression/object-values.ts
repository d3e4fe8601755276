import type { TestObject } from "./random-objects.ts";

/** What the tags `day=…` say that are points in time. */
export const realDays = ["2026-05-01", "2026-05-02T06:30:00Z"];

/** What a text stands for; null for all that stands for nothing. */
export function lookUp(
  values: Readonly<Record<string, number>>,
  key: string | null,
): number | null {
  return key === null ? null : (values[key] ?? null);
}

/** The word `state`. */
export function stateOf({ tombstoned, inFlight, copies }: TestObject): string {
  const hasCopy = Object.keys(copies).length > 0;
  if (tombstoned !== null) return hasCopy ? "deleting" : "deleted";
  if (inFlight !== 0) return "copying";
  return hasCopy ? "stored" : "lost";
}

/** The words `meta.<key>`. */
export function valueByKey({ tags }: TestObject, key: string): string | null {
  const values = tags.flatMap((tag) => (tag.startsWith(`${key}=`) ? [tag.split("=")[1]] : []));
  return values.reduce<string | null>(
    (first, value) => (value !== undefined && (first === null || value < first) ? value : first),
    null,
  );
}

export const isLarge = ({ size }: TestObject): boolean => size > 4096;
