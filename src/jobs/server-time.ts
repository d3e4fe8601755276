import { EngineError } from "#model/engine-error.ts";

/** Asks a PostgreSQL for its time, in milliseconds since 1970. */
export const postgresTime = "SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms";

/** What a server said of its time, if that is one. */
export function toldTime(ms: number | undefined): number {
  if (ms !== undefined && Number.isFinite(ms)) return ms;
  throw new Error("what it says is no time");
}

/** The error of a server that does not say it: nothing is removed without. */
export function untoldTime(cause: unknown): EngineError {
  const { message } = EngineError.from(cause);
  const denied = message.includes("NOPERM");
  const hint = denied
    ? "let the user of queue.url run the command TIME"
    : "check that the queue's server runs and is reachable";
  const words = `the server of the queue does not say what time it is: ${message}`;
  return new EngineError("UNAVAILABLE", words, { cause, hint });
}
