import { runChecks } from "#cli/doctor/run-checks.ts";
import { defineCommand } from "#cli/command.ts";

export default defineCommand({
  name: "doctor",
  summary: "check that everything this node needs is here and answers",
  setup: (command) => command,
  async run(context) {
    const checks = await runChecks(context);
    const ok = checks.every((check) => check.ok);
    context.print(
      () =>
        checks
          .map(({ name, ok: isOk, message, hint }) => {
            const line = `${isOk ? "ok     " : "FAILED "} ${name}: ${message}\n`;
            return hint === undefined ? line : `${line}        hint: ${hint}\n`;
          })
          .join(""),
      { ok, checks },
    );
    return ok ? 0 : 1;
  },
});
