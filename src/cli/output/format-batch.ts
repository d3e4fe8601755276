import { textTable } from "#cli/output/text-table.ts";
import { ago, count, counted } from "#cli/output/words.ts";
import { formatSize } from "#model/quantity.ts";
import type { BatchRecord, BatchTags } from "#model/record-batch.ts";

/** One line of what a batch is. */
export function describeBatch({ rows, bytes, columns }: BatchRecord): string {
  return `${counted(rows, "row")} of ${counted(columns.length, "column")}, ${formatSize(bytes)}`;
}

/** A table of batches, the newest first. */
export function formatBatches(batches: readonly BatchRecord[], now: Date): string {
  if (batches.length === 0) return "no batch yet: `thermocline batch publish` makes one\n";
  return textTable(
    [
      { title: "batch" },
      { title: "published" },
      { title: "rows", right: true },
      { title: "bytes", right: true },
      { title: "columns", right: true },
      { title: "tags" },
    ],
    batches.map(({ cid, created, rows, bytes, columns, tags }) => [
      cid,
      ago(created, now),
      count(rows),
      formatSize(bytes),
      String(columns.length),
      tagsText(tags),
    ]),
  );
}

function tagsText(tags: BatchTags): string {
  return Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}
