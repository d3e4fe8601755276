import type { AuditEntry } from "#model/audit.ts";
import { textTable } from "#cli/output/text-table.ts";
import type { RowForm } from "#cli/output/write-rows.ts";

/** How entries of the ledger are written. */
export const auditForm: RowForm<AuditEntry> = {
  key: "entries",
  columns: [
    "entry",
    "recorded",
    "kind",
    "outcome",
    "reason",
    "message",
    "run",
    "action",
    "policy",
    "rule",
    "verb",
    "backend",
    "cid",
    "path",
    "actor",
    "note",
  ] satisfies readonly (keyof AuditEntry)[],
  cell: (entry, column) => entry[column as keyof AuditEntry],
  table,
};

function table(entries: readonly AuditEntry[]): string {
  const titles = ["recorded", "kind", "what", "about", "who"].map((title) => ({ title }));
  const rows = entries.map((entry) => [
    entry.recorded.replace("T", " ").replace(/\.\d+Z$/, ""),
    entry.kind,
    [entry.outcome, entry.message ?? entry.reason].filter((part) => part !== undefined).join(": "),
    [entry.run, entry.action, entry.backend, entry.path ?? entry.cid]
      .filter((part) => part !== undefined)
      .join(" "),
    [entry.actor, entry.note].filter((part) => part !== undefined).join(": "),
  ]);
  return textTable(titles, rows);
}
