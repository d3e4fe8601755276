import type { ScheduleStatus, UpcomingStart } from "#model/schedule.ts";
import type { Firing } from "#model/starter.ts";

const at = "2026-03-01T12:00:00.000Z";

export const sampleFiring: Firing = {
  occurrence: at,
  at,
  outcome: "started",
  message: "late",
  runId: "run-1",
};

export const sampleSchedule: ScheduleStatus = {
  policy: "cool",
  zone: "Europe/Berlin",
  schedule: "0 2 * * *",
  overlap: "skip",
  next: at,
  last: { ...sampleFiring, run: "partial" },
  waiting: undefined,
  missed: 2,
  disabled: { reason: "quarter close", by: "ana", at },
  window: { open: false, until: at },
  triggers: [{ name: "usage hot above 85%", active: true, last: undefined }],
};

export const sampleStart: UpcomingStart = {
  at,
  startsAt: at,
  local: "Sun 2026-03-01 13:00 Europe/Berlin",
  note: "the clocks skip its time that day",
  opensAt: at,
};
