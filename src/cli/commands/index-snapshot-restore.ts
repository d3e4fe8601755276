import { resolve } from "node:path";
import { defineCommand } from "#cli/command.ts";
import { controllerOf } from "#cli/connect.ts";
import { dataPaths } from "#config/data-paths.ts";
import { EngineError } from "#model/engine-error.ts";

export default defineCommand({
  name: "index-snapshot-restore",
  words: ["index", "snapshot", "restore"],
  summary: "make the index of a data directory that has none from a snapshot",
  examples: [
    "thermocline index snapshot restore newest",
    "thermocline index snapshot restore bafyreia… --from /backup/snapshots --data ./new",
  ],
  setup: (command) =>
    command
      .argument("<snapshot>", "its CID, the beginning of it, or newest")
      .option("--from <folder>", "where the snapshots lie, if not in the data directory"),
  async run(context, [reference], { from }) {
    const config = await context.config();
    if ((await controllerOf(config, context.io)) !== undefined) {
      throw new EngineError("LOCKED", "a controller is running, with an index of its own", {
        hint: "stop it, move its index away, and restore then",
      });
    }
    // The database is large: commands that do not need it start without it.
    const { restoreSnapshot } = await import("#engine/snapshots/restore-snapshot.ts");
    const { SnapshotStore } = await import("#engine/snapshots/snapshot-store.ts");
    const store = new SnapshotStore(
      from === undefined
        ? dataPaths(config.dataDirectory).snapshots
        : resolve(context.io.cwd, from),
    );
    const now = context.io.clock.now();
    const report = await restoreSnapshot(store, { config, reference, now });
    context.note(
      "what happened after the snapshot is not known: run `import inventory` for each backend",
    );
    context.print(
      `${report.cid}\n${report.objects} objects as of ${report.takenAt}, in ${report.path}\n` +
        `nothing is removed before ${report.removalsFrom}\n`,
      { ...report },
    );
  },
});
