import type { ParsedAccess } from "#index/access-logs/parsed-access.ts";

const fields: ReadonlySet<string> = new Set(["cid", "path", "at", "bytes", "size", "weight"]);

/**
 * Reads one line of an access log in NDJSON:
 *
 *     {"cid": "bafkrei…", "at": "2026-01-31T12:00:00Z"}
 *     {"path": "/photos/1.jpg", "at": "2026-01-31T12:00:01Z", "bytes": 4096, "size": 65536}
 *
 * `cid` or `path` names the object; `at` is ISO 8601 with a zone. `weight` says what the read
 * counts (default 1, 0 for probes); without it, a ranged read of `bytes` out of `size` counts
 * their share, at most 1.
 */
export function parseJsonLine(line: string): ParsedAccess {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { problem: "not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { problem: "not a JSON object" };
  }
  const record = value as Readonly<Record<string, unknown>>;
  const strange = Object.keys(record).find((key) => !fields.has(key));
  if (strange !== undefined) {
    return { problem: `unknown field "${strange}" (known: ${[...fields].join(", ")})` };
  }
  const object = objectOf(record);
  if (typeof object !== "string") return object;
  const at = timeOf(record["at"]);
  if (at === undefined) {
    return { problem: '"at" must be a time like 2026-01-31T12:00:00Z, with its zone' };
  }
  const weight = weightOf(record);
  return typeof weight === "number" ? { access: { object, at, weight } } : weight;
}

function objectOf(record: Readonly<Record<string, unknown>>): string | { problem: string } {
  const { cid, path } = record;
  if ((cid === undefined) === (path === undefined)) {
    return { problem: 'give either "cid" or "path"' };
  }
  const name = cid ?? path;
  if (typeof name !== "string" || name === "") {
    return { problem: `"${cid === undefined ? "path" : "cid"}" must be text` };
  }
  if (path !== undefined && !name.startsWith("/")) return { problem: '"path" must begin with /' };
  return name;
}

function timeOf(value: unknown): Date | undefined {
  if (typeof value !== "string") return undefined;
  // Without a zone the time would depend on the machine that reads the log.
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/.test(value)) {
    return undefined;
  }
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function weightOf(record: Readonly<Record<string, unknown>>): number | { problem: string } {
  for (const name of ["weight", "bytes", "size"]) {
    const value = record[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
      return { problem: `"${name}" must be a number from 0 up` };
    }
  }
  const { weight, bytes, size } = record as Readonly<Record<string, number | undefined>>;
  if (weight !== undefined) return weight;
  if (bytes === undefined || size === undefined || size === 0) return 1;
  return Math.min(1, bytes / size);
}
