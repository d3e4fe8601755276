/** Starts at the high mark, goes on until the low one: shares from 0 to 1. */
export interface UsageMarks {
  readonly above: number;
  readonly until: number;
}

/** Whether a trigger on the usage of a backend is active, given whether it was. */
export function isUsageActive(marks: UsageMarks, usage: number, wasActive: boolean): boolean {
  return wasActive ? usage > marks.until : usage >= marks.above;
}

/** Bytes to free so that the usage comes down to the low mark. */
export function bytesAboveLowMark(marks: UsageMarks, usedBytes: number, capacity: number): number {
  return Math.max(0, Math.ceil(usedBytes - marks.until * capacity));
}
