import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { variableOption } from "#cli/variable-option.ts";
import { EngineError } from "#model/engine-error.ts";
import type { PolicyTestReport } from "#model/policy-test-report.ts";
import { type CommandContext, defineCommand } from "#cli/command.ts";
import { findingOutputOption } from "#cli/finding-output.ts";
import { coveragePercent, formatTestReport } from "#cli/output/format-test-report.ts";
import { testReportJson } from "#cli/output/test-report-json.ts";
import { testReportToGithub } from "#cli/output/test-report-github.ts";
import { testReportToJunit } from "#cli/output/test-report-junit.ts";
import { testReportToSarif } from "#cli/output/test-report-sarif.ts";
import { readSources } from "#cli/report-error.ts";

const testForms = ["text", "json", "junit", "github", "sarif"] as const;

export default defineCommand({
  name: "test",
  summary: "run tests of policies: fails on a missing and on an unexpected action, with the reason",
  examples: [
    "thermocline test",
    "thermocline test tests/cold.thermocline-test.yaml --coverage-min 80",
    "thermocline test --var idle_limit=60d",
    "thermocline test -o junit > report.xml",
    "thermocline test --watch",
  ],
  setup: (command) =>
    command
      .argument("[files...]", "test files or directories (default: all below this directory)")
      .addOption(
        new Option(
          "--coverage-min <percent>",
          "fail when fewer of the clauses of the rules were seen both true and false",
        ).argParser(percentage),
      )
      .addOption(
        variableOption(
          "the value of a variable of policies, for all tests that do not set it themselves (repeatable)",
        ),
      )
      .option("--watch", "run them again whenever a file changes that they rest on")
      .addOption(findingOutputOption(testForms)),
  async run(context, [files], { coverageMin, output, watch, var: variables }) {
    const places = files.length === 0 ? ["."] : files;
    const show = (report: PolicyTestReport) => showReport(context, report, output, coverageMin);
    if (watch === true) {
      const { watchTests } = await import("#cli/watch-tests.ts");
      return await watchTests(context, places, variables, show);
    }
    const { runPolicyTests } = await import("#engine/policy-tests/run-policy-tests.ts");
    const report = await runPolicyTests(places, context.io.cwd, variables);
    if (report.cases.length === 0 && report.diagnostics.length === 0) throw noTests(files);
    return await show(report);
  },
});

/** Tells what came of the tests, and gives the exit code. */
async function showReport(
  context: CommandContext,
  report: PolicyTestReport,
  output: (typeof testForms)[number],
  coverageMin: number | undefined,
): Promise<number> {
  const { stdout } = context.io;
  if (output === "junit") stdout.write(testReportToJunit(report));
  else if (output === "github") stdout.write(testReportToGithub(report));
  else if (output === "sarif") stdout.write(await testReportToSarif(report));
  else {
    const sources = await readSources(report.diagnostics, context.io.cwd);
    const color = context.color.stdout;
    context.print(() => formatTestReport(report, sources, { color }), testReportJson(report));
  }
  const isThin = coverageMin !== undefined && coveragePercent(report) < coverageMin;
  if (isThin) context.note(tooThin(report, coverageMin));
  return isThin || hasFailed(report) ? 1 : 0;
}

function hasFailed({ cases, diagnostics }: PolicyTestReport): boolean {
  return diagnostics.length > 0 || cases.some(({ failures }) => failures.length > 0);
}

function tooThin(report: PolicyTestReport, wanted: number): string {
  const share = coveragePercent(report).toFixed(1);
  return `error: ${share} % of the clauses are covered, ${wanted} % are asked for (--coverage-min)`;
}

function noTests(files: readonly string[]): EngineError {
  const where = files.length === 0 ? "below this directory" : `in ${files.join(", ")}`;
  return new EngineError("NOT_FOUND", `there is no test ${where}`, {
    hint: "tests are files that end in .thermocline-test.yaml; see docs/policy-tests.md",
  });
}

function percentage(text: string): number {
  const value = Number(text.replace(/%$/, ""));
  if (text.trim() !== "" && value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError("Say a percentage: 80.");
}
