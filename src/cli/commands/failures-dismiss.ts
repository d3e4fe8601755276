import { forgetFailuresCommand } from "#cli/forget-failures-command.ts";

export default forgetFailuresCommand({
  words: ["failures", "dismiss"],
  summary: "take failures off the list that nobody wants or will mend",
  why: "no longer wanted",
  done: "dismissed",
  consequence: "they are listed again if they fail again",
  forget: async (api, filter, reason) => (await api.dismissFailures(filter, reason)).dismissed,
});
