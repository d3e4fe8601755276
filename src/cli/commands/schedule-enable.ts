import { scheduleSwitch } from "#cli/schedule-switch.ts";

export default scheduleSwitch("enable", "let a schedule start its policy again, from now on", true);
