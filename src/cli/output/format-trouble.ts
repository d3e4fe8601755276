import type { EngineTrouble } from "#model/engine-api.ts";
import { count, counted } from "#cli/output/words.ts";

/** What is wrong at the moment, as lines of a status with the command that says more. */
export function formatTrouble(trouble: EngineTrouble): readonly (readonly [string, string])[] {
  const { failing, quarantined, repairs, lost, suspended, backends } = trouble;
  const lines: (readonly [string, string])[] = [];
  if (lost > 0) {
    lines.push(["LOST", `${counted(lost, "object")} without an intact copy: thermocline repairs`]);
  }
  if (repairs > 0) lines.push(["repairs", `${counted(repairs, "object")}: thermocline repairs`]);
  if (failing > 0) {
    const part = quarantined === 0 ? "" : `, ${count(quarantined)} of them quarantined`;
    lines.push(["failing", `${counted(failing, "action")}${part}: thermocline failures`]);
  }
  for (const { policy, since, message } of suspended) {
    lines.push(["suspended", `policy ${policy} since ${since}: ${message}`]);
  }
  for (const { backend, state, since, message } of backends) {
    const why = message === undefined ? "" : `: ${message}`;
    lines.push([state, `backend ${backend} since ${since}${why}`]);
  }
  return lines;
}
