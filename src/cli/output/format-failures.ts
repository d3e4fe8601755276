import type { Failure, FailureCause, FailureReport, Repair, Suspension } from "#model/failure.ts";
import { printable, textTable } from "#cli/output/text-table.ts";
import { ago, count, counted } from "#cli/output/words.ts";

/** Failures for people: causes first, each with its remedy and the command, then a page of them. */
export function formatFailures(report: FailureReport, quarantined: boolean, now: Date): string {
  if (report.total === 0) {
    return quarantined
      ? "nothing is in quarantine\n"
      : "nothing failed that did not succeed since\n";
  }
  const causes = report.causes.map((cause) =>
    [
      `${cause.code}: ${counted(cause.count, "action")}`,
      `  for example: ${printable(cause.example)}`,
      ...outputLines(cause),
      `  remedy: ${cause.remedy}`,
      quarantined
        ? `  then: thermocline quarantine release --cause ${cause.code} --reason …`
        : `  then: thermocline retry --cause ${cause.code}`,
    ].join("\n"),
  );
  return `${causes.join("\n")}\n\n${failureTable(report.failures, now)}`;
}

/** What a command said before it failed. */
function outputLines({ output }: FailureCause): readonly string[] {
  if (output === undefined) return [];
  return ["  it wrote:", ...output.split("\n").map((line) => `    | ${printable(line)}`)];
}

function failureTable(failures: readonly Failure[], now: Date): string {
  return textTable(
    [
      { title: "object" },
      { title: "action" },
      { title: "on" },
      { title: "cause" },
      { title: "runs", right: true },
      { title: "last" },
      { title: "rule" },
      { title: "run" },
      { title: "error" },
    ],
    failures.map((failure) => [
      failure.path ?? failure.cid,
      `${failure.verb}${failure.step === "removal" ? " (removal)" : ""}`,
      failure.backend ?? "",
      `${failure.code}${failure.quarantinedAt === undefined ? "" : ", quarantined"}`,
      count(failure.failures),
      ago(failure.lastAt, now),
      failure.rule,
      `${failure.run}#${failure.sequence}`,
      failure.message,
    ]),
  );
}

/** Suspended policies as a table. */
export function formatSuspensions(suspensions: readonly Suspension[], now: Date): string {
  if (suspensions.length === 0) return "no policy is suspended\n";
  return textTable(
    [{ title: "policy" }, { title: "suspended" }, { title: "because" }],
    suspensions.map(({ policy, since, message }) => [policy, ago(since, now), message]),
  );
}

/** Open repairs as a table. */
export function formatRepairs(repairs: readonly Repair[], now: Date): string {
  if (repairs.length === 0) return "nothing waits for a repair\n";
  return textTable(
    [
      { title: "object" },
      { title: "on" },
      { title: "found" },
      { title: "since" },
      { title: "intact", right: true },
      { title: "run" },
      { title: "state" },
    ],
    repairs.map((repair) => [
      repair.path ?? repair.cid,
      repair.backend,
      repair.found,
      ago(repair.openedAt, now),
      count(repair.copies),
      repair.run ?? "",
      repair.copies === 0 ? `LOST: ${repair.message ?? noCopy}` : (repair.message ?? "open"),
    ]),
  );
}

const noCopy = "no intact copy is left";
