import { defineCommand } from "#cli/command.ts";
import { textTable } from "#cli/output/text-table.ts";
import { isFromFuture } from "#model/from-future.ts";
import type { SnapshotSummary } from "#model/index-snapshot.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "index-snapshot-ls",
  words: ["index", "snapshot", "ls"],
  summary: "list the snapshots of the index, the newest first",
  examples: ["thermocline index snapshot ls --on archive"],
  setup: (command) => command.option("--on <backend>", "those on a backend instead of those here"),
  async run(context, _args, { on }) {
    const { api } = await context.snapshots();
    const list = await api.snapshots(on === undefined ? {} : { on });
    context.print(() => formatSnapshots(list.snapshots), { ...list });
    const now = context.io.clock.now();
    for (const { cid, takenAt } of list.snapshots.filter((one) => isFromFuture(one.takenAt, now))) {
      context.note(`from the future, by a clock that was ahead: ${cid}, taken ${takenAt}`);
    }
    for (const cid of list.damaged) context.note(`damaged, and not listed: ${cid}`);
    return list.damaged.length === 0 ? 0 : 1;
  },
});

function formatSnapshots(snapshots: readonly SnapshotSummary[]): string {
  if (snapshots.length === 0) return "no snapshot yet: `thermocline index snapshot` takes one\n";
  return textTable(
    [
      { title: "snapshot" },
      { title: "taken" },
      { title: "objects", right: true },
      { title: "bytes", right: true },
      { title: "commits", right: true },
      { title: "parent" },
    ],
    snapshots.map(({ cid, takenAt, objects, bytes, commits, parent }) => [
      cid,
      takenAt,
      String(objects),
      formatSize(bytes),
      String(commits),
      parent === undefined ? "" : `…${parent.slice(-8)}`,
    ]),
  );
}
