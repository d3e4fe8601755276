import type { AuditEntry } from "#model/audit.ts";
import type { CommandIo } from "#cli/command-io.ts";
import { toJsonText } from "#cli/output/json.ts";
import { textTable } from "#cli/output/text-table.ts";

export type AuditOutput = "text" | "json" | "csv" | "ndjson";

/** How a form of output begins, writes a piece and ends. */
interface Writer {
  readonly begin: string;
  piece(entries: readonly AuditEntry[], isFirst: boolean): string;
  readonly end: string;
}

/** Writes entries while they arrive; says how many. A long ledger is never held in memory. */
export async function writeAudit(
  pieces: AsyncIterable<readonly AuditEntry[]>,
  output: AuditOutput,
  io: CommandIo,
): Promise<number> {
  const writer = writers[output];
  let written = 0;
  io.stdout.write(writer.begin);
  for await (const entries of pieces) {
    if (entries.length > 0) io.stdout.write(writer.piece(entries, written === 0));
    written += entries.length;
    await io.stdout.drain();
    if (io.signal.aborted) break;
  }
  io.stdout.write(writer.end);
  return written;
}

const csvColumns = [
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
] as const satisfies readonly (keyof AuditEntry)[];

const writers: Readonly<Record<AuditOutput, Writer>> = {
  text: { begin: "", piece: table, end: "" },
  json: {
    begin: '{"schemaVersion":1,"entries":[',
    piece: (entries, isFirst) =>
      entries
        .map((entry, at) => `${isFirst && at === 0 ? "" : ","}\n${toJsonText(entry)}`)
        .join(""),
    end: "\n]}\n",
  },
  ndjson: {
    begin: "",
    piece: (entries) => entries.map((entry) => `${toJsonText(entry)}\n`).join(""),
    end: "",
  },
  csv: {
    begin: `${csvColumns.join(",")}\r\n`,
    piece: (entries) =>
      entries
        .map((entry) => `${csvColumns.map((column) => csvCell(entry[column])).join(",")}\r\n`)
        .join(""),
    end: "",
  },
};

/** Each piece is a table of its own width; the titles stand above the first. */
function table(entries: readonly AuditEntry[], isFirst: boolean): string {
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
  const text = textTable(titles, rows);
  return isFirst ? text : text.slice(text.indexOf("\n") + 1);
}

/** RFC 4180; what a spreadsheet would run as a formula is kept from being one. */
function csvCell(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
