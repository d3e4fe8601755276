import { InvalidArgumentError } from "@commander-js/extra-typings";

/** Reads an option's value as a whole number, zero or above. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError("it must be a whole number, 0 or above.");
}
