import { formatDiagnostics, toJson } from "#document/format-diagnostics.ts";
import type { Check } from "#model/check.ts";
import { runChecks } from "#cli/doctor/run-checks.ts";
import { readSources } from "#cli/report-error.ts";
import { defineCommand } from "#cli/command.ts";

export default defineCommand({
  name: "doctor",
  summary: "check that everything this node needs is here and answers",
  examples: ["thermocline doctor", "thermocline doctor -o json"],
  setup: (command) => command,
  async run(context) {
    const checks = await runChecks(context);
    const ok = checks.every(({ state }) => state !== "failed");
    const diagnostics = checks.flatMap((check) => check.diagnostics ?? []);
    const sources = await readSources(diagnostics, context.io.cwd);
    const color = context.color.stdout;
    const marked = (check: Check): string =>
      formatDiagnostics(check.diagnostics ?? [], sources, "text", { color });
    const told = checks.map((check) => ({
      ...check,
      ...(check.diagnostics && { diagnostics: check.diagnostics.map(toJson) }),
    }));
    context.print(() => checks.map((check) => marked(check) + formatCheck(check)).join(""), {
      ok,
      checks: told,
    });
    return ok ? 0 : 1;
  },
});

const words = { ok: "ok      ", warn: "warn    ", failed: "FAILED  " } as const;

function formatCheck({ name, state, message, why, hint }: Check): string {
  const more = Object.entries({ why, hint }).filter(([, text]) => text !== undefined);
  return `${words[state]}${name}: ${message}\n${more
    .map(([title, text]) => `        ${title}: ${text}\n`)
    .join("")}`;
}
