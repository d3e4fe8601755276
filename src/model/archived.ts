import type { EngineError } from "#model/engine-error.ts";

/** Whether a read failed because the copy lies in an archive: `thaw` then makes it readable. */
export function isArchived({ details }: EngineError): boolean {
  return details["archived"] === true;
}

/** Whether an action waits for its archive: nothing failed, it is tried again later. */
export function isThawing({ details }: EngineError): boolean {
  return details["wait"] === "thaw";
}
