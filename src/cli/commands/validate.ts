import type { Diagnostic } from "#model/diagnostic.ts";
import { codeMeanings } from "#engine/code-meanings.ts";
import { formatDiagnostics, toJson } from "#document/format-diagnostics.ts";
import { formatSarif } from "#document/format-sarif.ts";
import { defineCommand } from "#cli/command.ts";
import { findingOutputOption } from "#cli/finding-output.ts";
import { diagnosticsToJunit } from "#cli/output/diagnostics-to-junit.ts";
import { junitXml } from "#cli/output/junit-xml.ts";
import { counted } from "#cli/output/words.ts";
import { variableOption } from "#cli/variable-option.ts";
import { readSources } from "#cli/report-error.ts";
import { readVersion } from "#cli/version.ts";

const findingForms = ["text", "json", "github", "sarif", "junit"] as const;

export default defineCommand({
  name: "validate",
  summary: "check policies; every problem at once, with its place and a remedy",
  examples: [
    "thermocline validate",
    "thermocline validate policies/cold.thermocline.yaml -o github",
    "thermocline validate -o sarif > findings.sarif",
  ],
  setup: (command) =>
    command
      .argument("[files...]", "policy files or directories (default: the configured ones)")
      .addOption(variableOption())
      .addOption(findingOutputOption(findingForms)),
  async run(context, [files], { output, var: variables }) {
    const { api } = await context.connect();
    const report = await api.validate(files.length === 0 ? undefined : files, variables);
    const { diagnostics, policies, rules, switchedOff = 0 } = report;
    const errors = diagnostics.filter(({ severity }) => severity === "error").length;
    if (output === "text" || output === "json") {
      const sources = await readSources(diagnostics, context.io.cwd);
      const color = context.color.stdout;
      const found =
        diagnostics.length === 0 ? "no problems" : counted(diagnostics.length, "problem");
      const off = switchedOff === 0 ? "" : `, ${switchedOff} switched off`;
      const summary = `${counted(policies, "policy")}, ${counted(rules, "rule")}${off}: ${found}\n`;
      context.print(
        () => {
          const text = formatDiagnostics(diagnostics, sources, "text", { color });
          return text === "" ? summary : `${text}\n${summary}`;
        },
        { policies, rules, switchedOff, errors, diagnostics: diagnostics.map(toJson) },
      );
    } else context.io.stdout.write(await inForm(diagnostics, output));
    return errors > 0 ? 1 : 0;
  },
});

async function inForm(
  diagnostics: readonly Diagnostic[],
  form: "github" | "sarif" | "junit",
): Promise<string> {
  if (form === "github") return formatDiagnostics(diagnostics, [], "github");
  if (form === "junit") return junitXml(diagnosticsToJunit(diagnostics));
  return formatSarif(diagnostics, await readVersion(), codeMeanings);
}
