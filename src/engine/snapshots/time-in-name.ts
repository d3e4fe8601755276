/** A time as a part of a file's name, in which names in order are times in order. */
export function timeInName(time: string): string {
  return new Date(time).toISOString().replaceAll(/[-:]/g, "").toLowerCase();
}

/** ISO 8601; undefined for what is no such part. */
export function parseTimeInName(text: string): string | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d\.\d{3})z$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}
