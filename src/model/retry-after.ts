/**
 * What a `Retry-After` asks for, in milliseconds from now: seconds, or a time of the service's own
 * clock, which its `Date` shows (RFC 9110, 10.2.3). Undefined where it says nothing that is known.
 *
 * @param headers with names in small letters
 */
export function retryAfterMs(
  headers: Readonly<Partial<Record<"retry-after" | "date", string | undefined>>> = {},
): number | undefined {
  const { "retry-after": told = "", date = "" } = headers;
  if (told.trim() === "") return undefined;
  const ms = Number(told) * 1_000;
  const untilMs = Date.parse(told) - Date.parse(date);
  const found = [ms, untilMs].find((value) => Number.isFinite(value));
  return found === undefined ? undefined : Math.max(0, found);
}
