import { defineCommand } from "#cli/command.ts";
import { textTable } from "#cli/output/text-table.ts";
import type { SnapshotDiff } from "#model/index-snapshot.ts";

export default defineCommand({
  name: "index-snapshot-diff",
  words: ["index", "snapshot", "diff"],
  summary: "count the rows that differ between two snapshots, table by table",
  examples: ["thermocline index snapshot diff bafyreia… newest"],
  setup: (command) =>
    command
      .argument("<from>", "CID of a snapshot, the beginning of it, newest, or a time")
      .argument("<to>", "the same"),
  async run(context, [from, to]) {
    const { api } = await context.snapshots();
    const diff = await api.diffSnapshots({ from, to });
    context.print(() => formatDiff(diff), { ...diff });
  },
});

function formatDiff({ tables }: SnapshotDiff): string {
  if (tables.length === 0) return "they hold the same\n";
  const numbers = ["added", "removed", "changed"].map((title) => ({ title, right: true }));
  return textTable(
    [{ title: "family" }, { title: "table" }, ...numbers, { title: "parts compared" }],
    tables.map(({ family, table, added, removed, changed, partsCompared, parts }) => [
      family,
      table,
      ...[added, removed, changed].map(String),
      `${partsCompared} of ${parts}`,
    ]),
  );
}
