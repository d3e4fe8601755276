import { scheduleSwitch } from "#cli/schedule-switch.ts";

export default scheduleSwitch(
  "disable",
  "stop a schedule for a while: nothing starts, and nothing is caught up",
  false,
);
