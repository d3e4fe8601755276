import { resolve } from "node:path";
import { type CommandContext, defineCommand } from "#cli/command.ts";
import { controllerOf } from "#cli/connect.ts";
import { counted } from "#cli/output/words.ts";
import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import type { RestoreReport } from "#engine/snapshots/restore-snapshot.ts";
import type { ReplayedLedger } from "#engine/snapshots/replay-ledger.ts";
import type { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { EngineError } from "#model/engine-error.ts";
import type { InventoryReport } from "#model/inventory.ts";

export default defineCommand({
  name: "index-snapshot-restore",
  words: ["index", "snapshot", "restore"],
  summary: "make the index of a data directory that has none from a snapshot",
  examples: [
    "thermocline index snapshot restore newest",
    "thermocline index snapshot restore newest --from archive --inventories --ledger audit.parquet",
    "thermocline index snapshot restore bafyreia… --from /backup/snapshots --data ./new",
  ],
  setup: (command) =>
    command
      .argument("<snapshot>", "its CID, the beginning of it, newest, or a time")
      .option(
        "--from <backend|folder>",
        "where the snapshots are, if not in the data directory: a backend, or a folder",
      )
      .option(
        "--ledger <file>",
        "have holds, cordons and pauses hold again that `audit export` wrote there after the snapshot",
      )
      .option("--inventories", "then ask every backend what it holds, and correct the index"),
  async run(context, [snapshot], { from, inventories, ledger: name }) {
    const config = await context.config();
    if ((await controllerOf(config, context.io)) !== undefined) {
      throw new EngineError("LOCKED", "a controller is running, with an index of its own", {
        hint: "stop it, move its index away, and restore then",
      });
    }
    // The database is large: commands that do not need it start without it.
    const { restoreSnapshot } = await import("#engine/snapshots/restore-snapshot.ts");
    const { store, reference } = await sourceOf(context, config, { snapshot, from });
    const now = context.io.clock.now();
    const ledger = name === undefined ? undefined : resolve(context.io.cwd, name);
    const report = await restoreSnapshot(store, { config, reference, now, ledger });
    const found = inventories === true ? await askBackends(context, config) : undefined;
    if (inventories !== true) {
      context.note(
        "copies made since the snapshot are not known: run `import inventory` for each backend",
      );
    }
    context.print(
      `${report.cid}\n${report.objects} objects as of ${report.takenAt}, in ${report.path}\n` +
        `nothing is removed before ${report.removalsFrom}\n`,
      { ...report, ...(found === undefined ? {} : { inventories: found }) },
    );
    tellRecovered(context, report.recovered);
    tellSettled(context, report);
    const missing = await holdUnknown(context, report.replayed, found !== undefined);
    const failed = Object.values(found ?? {}).some((finding) => "code" in finding);
    return failed || missing ? 1 : 0;
  },
});

/** Where the snapshot is, once it is here. */
async function sourceOf(
  context: CommandContext,
  config: Config,
  { snapshot, from }: { readonly snapshot: string; readonly from: string | undefined },
): Promise<{ readonly store: SnapshotStore; readonly reference: string }> {
  const { SnapshotStore } = await import("#engine/snapshots/snapshot-store.ts");
  const here = new SnapshotStore(dataPaths(config.dataDirectory).snapshots);
  if (from === undefined) return { store: here, reference: snapshot };
  if (!config.backends.some(({ name }) => name === from)) {
    return { store: new SnapshotStore(resolve(context.io.cwd, from)), reference: snapshot };
  }
  const { api } = await context.snapshots({ here: true });
  const { cid, partsMoved } = await api.pullSnapshot({ snapshot, from });
  context.note(`fetched ${counted(partsMoved, "part")} from ${from}`);
  return { store: here, reference: cid };
}

/** What was kept of what happened after the snapshot. */
function tellRecovered(
  context: CommandContext,
  { entries, until, copiesGone, leftOut }: RestoreReport["recovered"],
): void {
  if (entries > 0) {
    const gone = `${counted(copiesGone, "copy")} removed since`;
    context.note(`the ledger goes on to ${until}: ${counted(entries, "entry")}; ${gone}`);
  }
  if (leftOut > 0) {
    const files = `${counted(leftOut, "file")} of later entries`;
    context.note(`${files} were left out: something before them is missing or damaged`);
  }
}

/** What waits for a person now, and for how long nothing that was marked is deleted. */
function tellSettled(context: CommandContext, { runs, graces }: RestoreReport): void {
  for (const { id, state, reason } of runs) context.note(`${id} is ${state}: ${reason}`);
  if (runs.some(({ state }) => state === "paused")) {
    context.note("go on with one: thermocline resume RUN; end one: thermocline cancel RUN");
  }
  if (graces > 0) context.note(`the grace of ${counted(graces, "mark")} for deletion begins anew`);
}

/** Holds objects that only the inventories know; says which of them are not there, if any. */
async function holdUnknown(
  context: CommandContext,
  replayed: ReplayedLedger | undefined,
  asked: boolean,
): Promise<boolean> {
  if (replayed === undefined) return false;
  const { holds, releases, cordons, pauses, schedules, cancelled, unknown } = replayed;
  const others =
    `${cordons} cordons, ${pauses} pauses and suspensions, ${schedules} schedules, ` +
    `${cancelled} cancelled actions`;
  context.note(`from the ledger: ${holds} holds, ${releases} releases, ${others}`);
  let missing = false;
  for (const { cid, reason } of unknown) {
    const held = asked && (await setHold(context, cid, reason));
    if (!held) context.note(`not known yet, hold it once it is: ${cid} (${reason})`);
    missing ||= !held;
  }
  return missing;
}

async function setHold(context: CommandContext, cid: string, reason: string): Promise<boolean> {
  try {
    await (await context.connect()).api.setHold(cid, true, reason);
    return true;
  } catch (error) {
    if (EngineError.from(error).code !== "NOT_FOUND") throw error;
    return false;
  }
}

type Finding = InventoryReport | { readonly code: string; readonly message: string };

/** What each backend holds, or why it does not say; the others are asked all the same. */
async function askBackends(
  context: CommandContext,
  config: Config,
): Promise<Readonly<Record<string, Finding>>> {
  const { api } = await context.connect();
  const inventories: Record<string, Finding> = {};
  for (const { name } of config.backends) {
    try {
      const steps = await Array.fromAsync(api.importInventory({ backend: name, restart: true }));
      const report = steps.at(-1)?.report;
      if (report === undefined) throw new EngineError("UNAVAILABLE", "it gave no report");
      inventories[name] = report;
      const { listed, lost, unexpected, changed } = report;
      const news = `${unexpected} unexpected, ${changed} changed, ${lost} lost`;
      context.note(`${name} has ${counted(listed, "object")}: ${news}`);
    } catch (error) {
      const { code, message } = EngineError.from(error);
      inventories[name] = { code, message };
      context.note(`${name} was not asked: ${message}`);
    }
  }
  return inventories;
}
