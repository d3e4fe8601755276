import { EngineError } from "#model/engine-error.ts";

/** The error for a call that its signal stopped: TIMEOUT when the signal was a deadline. */
export function cancelled(signal: AbortSignal, doing: string): EngineError {
  const reason: unknown = signal.reason;
  if (reason instanceof EngineError) return reason;
  const timedOut = reason instanceof Error && reason.name === "TimeoutError";
  return timedOut
    ? new EngineError("TIMEOUT", `out of time while ${doing}`, { cause: reason })
    : new EngineError("CANCELLED", `cancelled while ${doing}`, { cause: reason });
}

/** Throws when the signal has fired already. */
export function throwIfCancelled(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted) throw cancelled(signal, doing);
}
