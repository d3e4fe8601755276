import { forgetFailuresCommand } from "#cli/forget-failures-command.ts";

export default forgetFailuresCommand({
  words: ["quarantine", "release"],
  summary: "let plans try again what was left out",
  why: "rights corrected",
  done: "released",
  consequence: "plans try them again",
  forget: async (api, filter, reason) => (await api.releaseQuarantine(filter, reason)).released,
});
