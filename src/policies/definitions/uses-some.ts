import type { SharedNames } from "#policies/definitions/shared-names.ts";
import { isRecord } from "#policies/raw-value.ts";

/**
 * Whether a document, as it was read, says one of these names anywhere but where it includes them;
 * a class also by its name alone.
 */
export function usesSome(raw: unknown, { classes, variables }: SharedNames): boolean {
  const names = [...classes.keys()].map((name) => new RegExp(`\\b${name}\\b`));
  for (const name of variables.keys()) names.push(new RegExp(`\\$${name}\\b`));
  return isRecord(raw)
    ? Object.entries(raw).some(([key, value]) => key !== "include" && isSaid(value, names))
    : false;
}

function isSaid(value: unknown, names: readonly RegExp[]): boolean {
  if (typeof value === "string") return names.some((name) => name.test(value));
  if (Array.isArray(value)) return value.some((one) => isSaid(one, names));
  return isRecord(value) && Object.values(value).some((one) => isSaid(one, names));
}
