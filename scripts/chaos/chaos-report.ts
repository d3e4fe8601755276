import { formatSize } from "#model/quantity.ts";
import type { LedgerFacts } from "./check-ledger.ts";
import type { StoreFacts } from "./check-stores.ts";
import type { QueueKind } from "./queue-place.ts";
import type { Settlement } from "./settle.ts";

/** One chaos run, in numbers. */
export interface ChaosReport {
  readonly queue: QueueKind;
  readonly seed: number;
  readonly minutes: number;
  /** What DESIGN calls invariants and this run saw broken; empty when all is well. */
  readonly violations: readonly Violation[];
  readonly faults: Readonly<Record<string, number>>;
  readonly copiesDestroyed: number;
  /** Nodes that ended at their start because the queue store was away, and were started again. */
  readonly refusedStarts: number;
  /** How often a controller began its term: the first start, restarts, takeovers. */
  readonly terms: number;
  /** Controllers that ended because another had taken over. */
  readonly takenOver: number;
  readonly work: Readonly<Record<string, number>>;
  /** Calls that the engine refused or that failed while it was harmed, by error code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly ledger: LedgerFacts;
  readonly stores: Omit<StoreFacts, "problems">;
  readonly settlement: Settlement;
  readonly queuedJobsMax: number;
  readonly queuedJobsBound: number;
  readonly queuedJobsAtEnd: number | undefined;
  readonly memoryMibMax: Readonly<Record<string, number>>;
  /** The longest time in which no action ended. */
  readonly standstillMs: number;
  /** Kept when something is wrong: stores, index, logs. */
  readonly workspace: string | undefined;
}

export interface Violation {
  readonly what: string;
  readonly count: number;
  /** The first few, in words. */
  readonly examples: readonly string[];
}

/** The report for people. */
export function formatReport(report: ChaosReport): string {
  const { ledger, stores, settlement } = report;
  const lines: readonly (readonly [string, string])[] = [
    ["faults", listed(report.faults)],
    ["copies destroyed", String(report.copiesDestroyed)],
    ["starts refused", String(report.refusedStarts)],
    ["controllers", `${report.terms} terms, ${report.takenOver} times deposed`],
    ["work asked for", listed(report.work)],
    ["refused meanwhile", listed(report.refused)],
    ["runs", listed(ledger.runs)],
    ["schedule", listed(ledger.schedule)],
    ["actions", listed(ledger.actions)],
    ["bytes moved", formatSize(ledger.bytesMoved)],
    ["removals", `${ledger.removals}, of these settled by asking ${ledger.removalsSettled}`],
    ["removals unproven", String(ledger.unproven.length)],
    ["actions without one outcome", String(ledger.withoutOutcome.length)],
    ["objects", `${stores.objects}, deleted ${stores.deleted}`],
    ["imports confirmed", `${stores.confirmed} files, forgotten ${stores.forgotten.length}`],
    ["objects lost", String(stores.lost)],
    ["objects below minimum", String(stores.below)],
    ["files re-hashed", `${stores.files}, corrupt ${stores.corrupt}, missing ${stores.missing}`],
    [
      "settled in",
      `${Math.round(settlement.elapsedMs / 1000)} s, ${settlement.repairRounds} rounds; found ` +
        `${settlement.corruptFound} corrupt and ${settlement.absentFound} absent copies`,
    ],
    ["longest standstill", `${Math.round(report.standstillMs / 1000)} s`],
    ["most jobs queued", `${report.queuedJobsMax} (bound ${report.queuedJobsBound})`],
    ["most memory, MiB", listed(report.memoryMibMax)],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const table = lines.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join("\n");
  const title = `chaos on ${report.queue}, ${report.minutes} min, seed ${report.seed}`;
  return `${title}\n${table}\n${formatViolations(report)}\n`;
}

function formatViolations({ violations, workspace }: ChaosReport): string {
  if (violations.length === 0) return "  nothing lost, nothing stuck, nothing unproven";
  const found = violations.map(
    ({ what, count, examples }) =>
      `  VIOLATION: ${what}: ${count}\n${examples.map((line) => `    ${line}`).join("\n")}`,
  );
  return `${found.join("\n")}\n  look at ${workspace ?? "-"}: *.log, faults.ndjson, .thermocline`;
}

function listed(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  return entries.length === 0 ? "-" : entries.map(([name, n]) => `${name} ${n}`).join(", ");
}
