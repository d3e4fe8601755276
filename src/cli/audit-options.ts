import { EngineError } from "#model/engine-error.ts";
import { parseDuration } from "#model/quantity.ts";
import type { AuditRequest } from "#model/audit.ts";

/** The options that select entries of the ledger, as typed. */
export interface AuditOptions {
  readonly where?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly run?: string | undefined;
  readonly object?: string | undefined;
  readonly limit?: number | undefined;
}

/** What was asked for; times as the engine takes them. */
export function auditRequest(options: AuditOptions, now: Date): AuditRequest {
  const { where, run, object, limit } = options;
  const since = timeOption(options.since, now);
  const until = timeOption(options.until, now);
  return {
    ...(where === undefined ? {} : { where }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(run === undefined ? {} : { run }),
    ...(object === undefined ? {} : { object }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** `2026-11-21`, `2026-11-21T08:00:00Z`, or how long ago: `7d`, `1h30m`. */
function timeOption(text: string | undefined, now: Date): string | undefined {
  if (text === undefined) return undefined;
  const isDate = /^\d{4}-\d\d/.test(text);
  const time = isDate ? new Date(text) : new Date(now.getTime() - parseDuration(text));
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  throw new EngineError("USAGE", `"${text}" is not a time`, {
    hint: "write 2026-11-21, 2026-11-21T08:00:00Z, or how long ago: 7d, 12h",
  });
}
