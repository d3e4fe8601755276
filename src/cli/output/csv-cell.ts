import { toJsonText } from "#cli/output/json.ts";

/** RFC 4180; what a spreadsheet would run as a formula is kept from being one. */
export function csvCell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const plain = Array.isArray(value) ? value.join(" ") : value;
  const whole = typeof plain === "string" ? plain : toJsonText(plain).replaceAll(/^"|"$/g, "");
  const text = /^[=+\-@\t\r]/.test(whole) ? `'${whole}` : whole;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
