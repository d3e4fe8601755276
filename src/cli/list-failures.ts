import type { Command, OptionValues } from "@commander-js/extra-typings";
import type { CommandContext } from "#cli/command.ts";
import { type FailureOptions, failureFilter } from "#cli/failure-options.ts";
import { formatFailures } from "#cli/output/format-failures.ts";
import { positiveInteger } from "#cli/positive-integer.ts";
import { wholeNumber } from "#cli/whole-number.ts";

/** Failures that one listing shows, unless more are asked for. */
const failuresShown = 50;

interface FailureListOptions extends FailureOptions {
  readonly offset: number;
  readonly limit: number;
}

/** Gives a command the options that say which failures it lists. */
export function withFailureOptions<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) {
  return command
    .option("--policy <name>", "what this policy wanted")
    .option("--backend <name>", "what failed on this backend")
    .option("--cause <code>", "with this error code (docs/errors.md)")
    .option("--object <object>", "about one object: CID, path or number")
    .option("--where <expression>", "about these objects, in the language of policies")
    .option("--offset <n>", "leave out so many", wholeNumber, 0)
    .option("--limit <n>", "show so many", positiveInteger, failuresShown);
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
