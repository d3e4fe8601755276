import type { ServiceReport } from "../services/service.ts";
import type { KitResult } from "./run-kits.ts";

/** What `npm run conformance -- --json` prints. */
export interface ConformanceReport {
  readonly schemaVersion: 1;
  /** Nothing failed, and nothing was left out that this machine could have run. */
  readonly conforms: boolean;
  readonly drivers: readonly DriverConformance[];
  /** Why it does not conform, beside the failures. */
  readonly problems: readonly string[];
}

export interface DriverConformance {
  readonly driver: string;
  readonly subjects: readonly SubjectConformance[];
}

/** A driver against one server. */
export interface SubjectConformance {
  readonly subject: string;
  /** Name and version, in the server's own words; null when it was not asked. */
  readonly server: string | null;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly tookMs: number;
  readonly failures: readonly { readonly test: string; readonly message: string }[];
  readonly skips: readonly { readonly test: string; readonly reason: string }[];
}

const unexplained = "it was not run, and nobody said why";

/** Sums up how the kit ended for each driver. `services` are the servers as they are here. */
export function conformanceReport(
  drivers: readonly string[],
  results: readonly KitResult[],
  services: readonly ServiceReport[],
): ConformanceReport {
  const reports = drivers.map((driver): DriverConformance => {
    const own = results.filter(({ note }) => note.driver === driver);
    const subjects = Map.groupBy(own, ({ note }) => note.subject);
    return { driver, subjects: [...subjects].map(([name, tests]) => subjectReport(name, tests)) };
  });
  const problems = [
    ...reports.flatMap(({ driver, subjects }) =>
      subjects.length === 0 ? [`${driver}: no test file runs the kit on it`] : [],
    ),
    ...notRun(results),
    ...couldBeInstalled(results, services),
  ];
  const failed = results.some(({ ended }) => ended === "failed");
  return {
    schemaVersion: 1,
    conforms: !failed && problems.length === 0,
    drivers: reports,
    problems,
  };
}

function subjectReport(subject: string, tests: readonly KitResult[]): SubjectConformance {
  const ended = (how: KitResult["ended"]) => tests.filter((test) => test.ended === how);
  const failures = ended("failed").map(({ note, message = "failed" }) => ({
    test: note.test,
    message,
  }));
  const skips = ended("skipped").map(({ note, message }) => ({
    test: note.test,
    reason: note.skipped?.reason ?? message ?? unexplained,
  }));
  return {
    subject,
    server: tests.find(({ note }) => note.server !== undefined)?.note.server ?? null,
    passed: ended("passed").length,
    failed: failures.length,
    skipped: skips.length,
    tookMs: Math.round(tests.reduce((sum, { tookMs }) => sum + tookMs, 0)),
    failures,
    skips,
  };
}

/** Tests that nobody told to be skipped: a hook failed, or somebody left a `skip` or `only`. */
function notRun(results: readonly KitResult[]): readonly string[] {
  const unasked = results.filter(({ ended, note }) => ended === "skipped" && !note.skipped);
  return [...Map.groupBy(unasked, ({ note }) => note.subject)].map(([subject, tests]) => {
    const reason = tests.find(({ message }) => message !== undefined)?.message ?? unexplained;
    return `${subject}: ${tests.length} tests did not run: ${reason}`;
  });
}

/** Servers for want of which tests were skipped, though this machine could have them. */
function couldBeInstalled(
  results: readonly KitResult[],
  services: readonly ServiceReport[],
): readonly string[] {
  if (!results.some(({ note }) => note.skipped?.cause === "missing")) return [];
  return services.flatMap((service) =>
    service.available || service.needs !== undefined
      ? []
      : [`${service.service} could run here but is not installed: ${service.reason}`],
  );
}
