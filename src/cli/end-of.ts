import { EngineError } from "#model/engine-error.ts";
import { parseDuration } from "#model/quantity.ts";

/** A duration from now (`2h`) or a moment (`2026-12-01T06:00`), as ISO 8601 UTC. */
export function endOf(text: string, now: Date): string {
  if (/^\d+(?:\.\d+)?\s*[a-z]/i.test(text)) {
    return new Date(now.getTime() + parseDuration(text)).toISOString();
  }
  const at = new Date(text);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  throw new EngineError("USAGE", `"${text}" is neither a duration nor a time`, {
    hint: "write 2h, 30m, or 2026-12-01T06:00",
  });
}
