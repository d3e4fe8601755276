import { textTable } from "#cli/output/text-table.ts";
import type { RowForm } from "#cli/output/write-rows.ts";
import type { DriftEntry } from "#model/inventory.ts";
import { formatSize } from "#model/quantity.ts";

/** How what an inventory found different is written. */
export const driftForm: RowForm<DriftEntry> = {
  key: "drift",
  columns: [
    "backend",
    "kind",
    "detail",
    "cid",
    "path",
    "locator",
    "form",
    "bytes",
    "believedBytes",
  ] satisfies readonly (keyof DriftEntry)[],
  cell: (entry, column) => entry[column as keyof DriftEntry],
  table,
};

function table(entries: readonly DriftEntry[]): string {
  const titles = [
    { title: "backend" },
    { title: "kind" },
    { title: "found", right: true },
    { title: "believed", right: true },
    { title: "object" },
  ];
  const rows = entries.map(({ backend, kind, detail, bytes, believedBytes, path, cid }) => [
    backend,
    detail === undefined ? kind : `${kind}: ${detail}`,
    bytes === undefined ? "" : formatSize(bytes),
    believedBytes === undefined ? "" : formatSize(believedBytes),
    path ?? cid,
  ]);
  return textTable(titles, rows);
}
