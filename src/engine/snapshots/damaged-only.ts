import { EngineError } from "#model/engine-error.ts";

/** For `catch`: what is damaged is undefined; that a backend does not answer says nothing of it. */
export function damagedOnly(error: unknown): undefined {
  if (EngineError.from(error).code !== "CORRUPT") throw error;
  return undefined;
}
