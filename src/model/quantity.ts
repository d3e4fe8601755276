import { EngineError } from "#model/engine-error.ts";

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 365 * 86_400_000,
};

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  PB: 1e15,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  PiB: 2 ** 50,
};

/** The words for durations, smallest first: `30d`, `1h30m`. A year is 365 days. */
export const durationUnitNames: readonly string[] = Object.keys(durationUnits);
/** The words for sizes: decimal (`kB MB GB`) and binary (`KiB MiB GiB`). */
export const sizeUnitNames: readonly string[] = Object.keys(sizeUnits);

/** `"30d"`, `"1h30m"` → milliseconds. Throws INVALID_DOCUMENT that says what is allowed. */
export function parseDuration(text: string): number {
  return parseUnits(text, durationUnits, "duration", "30d, 12h, 1h30m, 500ms");
}

/** `"10GiB"`, `"500MB"`, `"4096"` or `"4096B"` → bytes. */
export function parseSize(text: string): number {
  const bare = /^\d+$/.test(text.trim());
  const bytes = bare
    ? Number(text)
    : parseUnits(text, sizeUnits, "size", "10GiB, 500MB, 64KiB, 4096B");
  return Math.round(bytes);
}

/** `"1000"`, `"100k"`, `"2M"` → a number of objects. */
export function parseCount(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kM]?)$/.exec(text.trim());
  const factor = { k: 1e3, M: 1e6 }[match?.[2] ?? ""] ?? 1;
  const count = match === null ? Number.NaN : Number(match[1]) * factor;
  if (Number.isSafeInteger(count)) return count;
  throw new EngineError("INVALID_DOCUMENT", `"${text}" is not a number of objects`, {
    hint: "write 1000, 100k or 2M",
  });
}

/** Milliseconds → the two largest units that fit: `45d 3h`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1_000) * 1_000;
  for (const unit of ["d", "h", "m", "s"]) {
    const size = durationUnits[unit] ?? 1;
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** Bytes → binary units with at most two decimals: `1.25 GiB`. */
export function formatSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

function parseUnits(
  text: string,
  units: Readonly<Record<string, number>>,
  what: string,
  examples: string,
): number {
  const pattern = /(\d+(?:\.\d+)?)\s*([A-Za-z]+)/y;
  const trimmed = text.trim();
  let total = 0;
  let end = 0;
  while (end < trimmed.length) {
    pattern.lastIndex = end;
    const match = pattern.exec(trimmed);
    const factor =
      match && Object.hasOwn(units, match[2] ?? "") ? units[match[2] ?? ""] : undefined;
    if (!match || factor === undefined) {
      throw new EngineError("INVALID_DOCUMENT", `"${text}" is not a ${what}`, {
        hint: `write a number with a unit, such as ${examples}`,
      });
    }
    total += Number(match[1]) * factor;
    end = pattern.lastIndex;
  }
  if (trimmed === "") {
    throw new EngineError("INVALID_DOCUMENT", `a ${what} is missing`, {
      hint: `write a number with a unit, such as ${examples}`,
    });
  }
  return total;
}
