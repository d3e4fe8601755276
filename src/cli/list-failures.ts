import type { CommandContext } from "#cli/command.ts";
import { type FailureOptions, failureFilter } from "#cli/failure-options.ts";
import { formatFailures } from "#cli/output/format-failures.ts";

/** Failures that one listing shows, unless more are asked for. */
export const failuresShown = 50;

export interface FailureListOptions extends FailureOptions {
  readonly offset: number;
  readonly limit: number;
}

/** Shows failures by cause, and a page of them; all, or only those that are quarantined. */
export async function listFailures(
  context: CommandContext,
  { offset, limit, ...options }: FailureListOptions,
  quarantined: boolean,
): Promise<void> {
  const { api } = await context.connect();
  const request = { ...failureFilter(options), offset, limit };
  const report = await api.failures(quarantined ? { ...request, quarantined } : request);
  const now = context.io.clock.now();
  context.print(() => formatFailures(report, quarantined, now), { ...report, offset, limit });
  const next = offset + report.failures.length;
  if (next < report.total) {
    context.note(`${next} of ${report.total} shown; the next ones with --offset ${next}`);
  }
}
