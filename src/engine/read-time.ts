import { EngineError } from "#model/engine-error.ts";

/** ISO 8601 text → Date; USAGE when it is none. */
export function readTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new EngineError("USAGE", `"${text}" is not a time`, {
    hint: "write it as 2026-11-21 or 2026-11-21T08:00:00Z",
  });
}
