/** Clocks of machines that work together may differ so much. */
const differenceMs = 2 * 60_000;

/** Whether something bears a time that no clock can have shown yet but one that was ahead. */
export function isFromFuture(time: string, now: Date): boolean {
  return Date.parse(time) > now.getTime() + differenceMs;
}
