const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"].concat([
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
]);
const commonForm = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)$/;
const isoForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

/**
 * A time in the form of the Common Log Format, `06/Feb/2019:00:00:38 +0000`, or of ISO 8601. It
 * must say its zone: without one it would depend on the machine that reads the log.
 */
export function logTime(text: string): Date | undefined {
  const common = commonForm.exec(text);
  if (common === null) return isoForm.test(text) ? soundTime(text) : undefined;
  const [, day = "", name = "", year = "", clock = "", hours = "", minutes = ""] = common;
  const month = months.indexOf(name) + 1;
  if (month === 0) return undefined;
  const number = String(month).padStart(2, "0");
  return soundTime(`${year}-${number}-${day}T${clock}${hours}:${minutes}`);
}

function soundTime(text: string): Date | undefined {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return undefined;
  // The engine's calendar turns a 31 February into March: such a time was never logged.
  const day = Number(text.slice(8, 10));
  const shifted = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return shifted.getUTCDate() === day ? time : undefined;
}
