import { defineCommand } from "#cli/command.ts";
import { confirm } from "#cli/confirm.ts";
import { followRun } from "#cli/follow-run.ts";
import { formatRun } from "#cli/output/format-run.ts";
import { formatUndo } from "#cli/output/format-undo.ts";
import { EngineError } from "#model/engine-error.ts";
import { guards } from "#model/plan.ts";

export default defineCommand({
  name: "undo",
  summary: "make again the copies that a run gave up",
  examples: ["thermocline undo run-7 --dry-run", "thermocline undo run-7"],
  setup: (command) =>
    command
      .argument("<run>", "id of the run, or the beginning of it")
      .option("-n, --dry-run", "say what would be made again and what cannot; start nothing")
      .option("-y, --yes", "do not ask")
      .option("--override <guard...>", `let a guard pass: ${guards.join(", ")}`)
      .option("--no-wait", "start the run and leave it to the controller"),
  async run(context, [run], { dryRun, yes, wait, override }) {
    const connection = await context.connect();
    const { api } = connection;
    if (!wait && connection.where === "process") {
      throw new EngineError("USAGE", "--no-wait needs a controller that goes on with the run");
    }
    const shown = await api.undoRun({ run, dryRun: true });
    const backends = await api.backends();
    if (dryRun === true || shown.plan.header.totals.actions === 0) {
      context.print(() => formatUndo(shown, backends), { ...shown });
      return 0;
    }
    context.io.stderr.write(formatUndo(shown, backends));
    if (yes !== true && !(await confirm(context.io, '\nmake them again? (only "yes" does) '))) {
      throw new EngineError("DECLINED", "nothing was undone");
    }
    const { started } = await api.undoRun({
      run: shown.run,
      expectCid: shown.plan.cid,
      ...(override === undefined ? {} : { override }),
    });
    if (started === undefined) return 0;
    if (wait) return followRun(context, connection, started);
    context.print(() => formatRun(started, context.io.clock.now()), { run: started });
    return 0;
  },
});
