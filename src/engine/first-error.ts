import type { Diagnostic } from "#model/diagnostic.ts";
import { EngineError } from "#model/engine-error.ts";

/** What is wrong with documents in one line, with the place of the first error. */
export function firstError(error: unknown): string {
  const { message, details } = EngineError.from(error);
  const found = (details["diagnostics"] ?? []) as readonly Diagnostic[];
  const first = found.find(({ severity }) => severity === "error");
  if (first === undefined) return message;
  const { line, column } = first.range.start;
  return `${message}: ${first.file}:${line}:${column}: ${first.message}`;
}
