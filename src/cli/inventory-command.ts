import type { CommandContext } from "#cli/command.ts";
import { count, counted } from "#cli/output/words.ts";
import { textPairs } from "#cli/output/text-table.ts";
import type { Progress } from "#cli/output/progress-view.ts";
import { streamWithProgress } from "#cli/stream-with-progress.ts";
import { EngineError } from "#model/engine-error.ts";
import type {
  AskedLocks,
  InventoryProgress,
  InventoryReport,
  InventoryRequest,
} from "#model/inventory.ts";
import type { UnfinishedWrites } from "#model/driver.ts";
import { formatDuration, formatSize } from "#model/quantity.ts";

export interface InventoryOptions {
  readonly dryRun?: true;
  readonly restart?: true;
  readonly detailedExitcode?: true;
}

const differencesExitCode = 2;

/** Takes an inventory, shows how far it is and what was found; gives the exit code. */
export async function inventoryCommand(
  context: CommandContext,
  request: Pick<InventoryRequest, "backend" | "s3Inventory">,
  { dryRun, restart, detailedExitcode }: InventoryOptions,
): Promise<number> {
  const { api } = await context.connect();
  const steps = api.importInventory({
    ...request,
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(restart === undefined ? {} : { restart }),
  });
  const { report, unfinished, locks, earlier, earlierBegunAt, elapsedMs } =
    await streamWithProgress(context, steps, (step) => ({
      what: "inventory",
      noun: "copies",
      done: step.listed,
      ...totalsOf(step),
      bytesDone: step.bytes,
      remark: remarkOf(step),
      fields: { phase: step.phase, foreign: step.foreign },
    }));
  if (report === undefined) throw new EngineError("INTERNAL", "the inventory has no report");
  if (earlier > 0) {
    const since = earlierBegunAt === undefined ? "" : `, by a listing begun at ${earlierBegunAt}`;
    context.note(`went on behind ${count(earlier)} entries listed before${since}`);
  }
  context.print(() => describe({ report, unfinished, locks, elapsedMs }, dryRun === true), {
    report,
    ...(unfinished === undefined ? {} : { unfinished }),
    ...(locks === undefined ? {} : { locks }),
    elapsedMs,
    dryRun: dryRun === true,
  });
  const differences = report.lost + report.unexpected + report.changed;
  if (differences > 0 && dryRun !== true) {
    context.note(`thermocline drift ${request.backend} lists what differs`);
  }
  return differences > 0 && detailedExitcode === true ? differencesExitCode : 0;
}

/** The index tells how much to expect; once more than that is listed, nobody knows. */
function totalsOf(step: InventoryProgress): Pick<Progress, "total" | "bytesTotal"> {
  const { phase, listed, total, bytes, bytesTotal } = step;
  if (phase === "listing" && listed > total) return { total: undefined, bytesTotal: undefined };
  return { total: Math.max(total, listed), bytesTotal: Math.max(bytesTotal, bytes) };
}

function remarkOf({ phase, earlierBegunAt }: InventoryProgress): string {
  if (phase !== "listing") return phase;
  return earlierBegunAt === undefined ? "" : `going on with a listing begun at ${earlierBegunAt}`;
}

interface Found extends Pick<InventoryProgress, "elapsedMs"> {
  readonly report: InventoryReport;
  readonly unfinished: UnfinishedWrites | undefined;
  readonly locks: AskedLocks | undefined;
}

function describe({ report, unfinished, locks, elapsedMs }: Found, isDryRun: boolean): string {
  return textPairs([
    ["backend", report.backend],
    ["listed", count(report.listed)],
    ["confirmed", count(report.confirmed)],
    ["lost", count(report.lost)],
    ["unexpected", count(report.unexpected)],
    ["changed", count(report.changed)],
    ...(report.foreign > 0 ? [["not ours", count(report.foreign)] as const] : []),
    ...(unfinished !== undefined && unfinished.found > 0
      ? [["unfinished", describeUnfinished(unfinished, isDryRun)] as const]
      : []),
    ...(locks !== undefined && (locks.locked > 0 || locks.problem !== undefined)
      ? [["locked there", describeLocks(locks)] as const]
      : []),
    ["took", `${formatDuration(elapsedMs)}${isDryRun ? ", a dry run: nothing was changed" : ""}`],
  ]);
}

/** Only some were asked about, so that others may be locked as well: their removal is refused then. */
function describeLocks({ asked, locked, problem }: AskedLocks): string {
  const found = `${count(locked)} of the ${counted(asked, "copy")} asked about`;
  return problem === undefined
    ? found
    : `${found}; of the others only those known to be locked are asked about next time: ${problem}`;
}

function describeUnfinished(unfinished: UnfinishedWrites, isDryRun: boolean): string {
  const { found, abandoned, abandonedBytes } = unfinished;
  const ended = isDryRun ? "would be given up" : "given up";
  const which = abandoned === 0 ? "none abandoned" : `${count(abandoned)} abandoned, ${ended}`;
  const bytes = abandoned === 0 ? "" : ` (${formatSize(abandonedBytes)})`;
  return `${counted(found, "upload")}: ${which}${bytes}`;
}
