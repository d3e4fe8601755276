import type { Evidence } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";

/** Whose fault a failed transfer was, and what the index should learn from it. */
export interface TransferFault {
  readonly side: "source" | "target";
  readonly backend: string;
  /** What that backend's own check found after the failure; undefined when none was made. */
  readonly evidence: Evidence | undefined;
}

/** Which side a transfer failed at; undefined for errors that are nobody's (cancelled). */
export function transferFault(error: EngineError): TransferFault | undefined {
  const { transfer: fault } = error.details as { readonly transfer?: TransferFault };
  return fault;
}

/** The same error with the fault in its details and the backend in front of its message, once. */
export function blame(error: EngineError, fault: TransferFault): EngineError {
  if (error.code === "CANCELLED" || transferFault(error)) return error;
  const { code, retryable, retryAfterMs, hint, details } = error;
  const { backend } = fault;
  const said = error.message.startsWith(`${backend}: `);
  return new EngineError(code, said ? error.message : `${backend}: ${error.message}`, {
    retryable,
    details: { ...details, transfer: fault },
    cause: error,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(hint !== undefined && { hint }),
  });
}
