import { formatDuration, formatSize } from "#model/quantity.ts";

/** `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1 object`, `2,000 objects`, `3 copies`. */
export function counted(value: number, noun: string): string {
  const plural = noun.replace(/y$/, "ie").replace(/ch$/, "che").concat("s");
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

/** `3m 20s ago`, or `never`. */
export function ago(time: string | undefined, now: Date): string {
  if (time === undefined) return "never";
  const ms = now.getTime() - Date.parse(time);
  return ms < 1_000 ? "just now" : `${formatDuration(ms)} ago`;
}

/** `12.3 MiB/s`. */
export function rate(bytesPerSecond: number): string {
  return `${formatSize(bytesPerSecond)}/s`;
}
