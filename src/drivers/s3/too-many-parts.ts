import { EngineError } from "#model/engine-error.ts";

/** With fewer parts a service has other reasons. */
const manyParts = 256;

/**
 * The error of an upload that could not be put together, with what to do where it had many parts: a
 * gateway that notes them all beside a file (versitygw on ext4: 4 KiB for everything) says nothing
 * better than 500 when they do not fit, however often it is asked.
 */
export function tooManyParts(error: Error, parts: number): Error {
  const isKnown = error instanceof EngineError && error.details["status"] === 500;
  if (!isKnown || parts < manyParts) return error;
  const { code, message, retryable, details } = error;
  const hint = `if this repeats, ${parts} parts are too many for it: raise \`partSize\``;
  return new EngineError(code, message, { retryable, details, hint, cause: error });
}
