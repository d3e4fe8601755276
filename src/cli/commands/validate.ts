import { formatDiagnostics, toJson } from "#document/format-diagnostics.ts";
import { defineCommand } from "#cli/command.ts";
import { counted } from "#cli/output/words.ts";
import { readSources } from "#cli/report-error.ts";

export default defineCommand({
  name: "validate",
  summary: "check policies; every problem at once, with its place and a remedy",
  examples: [
    "thermocline validate",
    "thermocline validate policies/cold.thermocline.yaml -o github",
  ],
  setup: (command) =>
    command.argument("[files...]", "policy files or directories (default: the configured ones)"),
  async run(context, [files]) {
    const { api } = await context.connect();
    const report = await api.validate(files.length === 0 ? undefined : files);
    const { diagnostics, policies, rules } = report;
    const errors = diagnostics.filter(({ severity }) => severity === "error").length;
    if (context.output === "github") {
      context.io.stdout.write(formatDiagnostics(diagnostics, [], "github"));
    } else {
      const sources = await readSources(diagnostics, context.io.cwd);
      const color = context.color.stdout;
      const found =
        diagnostics.length === 0 ? "no problems" : counted(diagnostics.length, "problem");
      const summary = `${counted(policies, "policy")}, ${counted(rules, "rule")}: ${found}\n`;
      context.print(
        () => {
          const text = formatDiagnostics(diagnostics, sources, "text", { color });
          return text === "" ? summary : `${text}\n${summary}`;
        },
        { policies, rules, errors, diagnostics: diagnostics.map(toJson) },
      );
    }
    return errors > 0 ? 1 : 0;
  },
});
