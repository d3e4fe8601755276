import { InvalidArgumentError } from "@commander-js/extra-typings";

/** Reads an option's value as a whole number above zero. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("it must be a whole number above 0.");
}
