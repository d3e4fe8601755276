import { EngineError } from "#model/engine-error.ts";

/** What went wrong, with what was being done in front of it. */
export function failureOf(what: string, thrown: unknown): EngineError {
  const { code, message, hint, cause } = EngineError.from(thrown);
  const words = { cause, ...(hint === undefined ? {} : { hint }) };
  return new EngineError(code, `${what} failed: ${message}`, words);
}
