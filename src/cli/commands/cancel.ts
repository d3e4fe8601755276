import { targetWords } from "#model/control.ts";
import { EngineError } from "#model/engine-error.ts";
import { defineCommand } from "#cli/command.ts";
import { confirm } from "#cli/confirm.ts";
import { controlTarget } from "#cli/control-target.ts";
import { workWords } from "#cli/output/format-control.ts";
import { formatRun } from "#cli/output/format-run.ts";
import { counted } from "#cli/output/words.ts";

export default defineCommand({
  name: "cancel",
  summary: "end open work; what was done stays done",
  examples: [
    "thermocline cancel run-3",
    `thermocline cancel --policy cool-down --reason "wrong threshold"`,
    `thermocline cancel run-3 --where 'path like "/keep/**"' --yes`,
  ],
  setup: (command) =>
    command
      .argument("[run]", "id of the run, see `thermocline runs`")
      .option("--policy <name>", "what this policy wants, in every run")
      .option("--backend <name>", "what acts on this backend, in every run")
      .option("--all", "every run")
      .option("--where <expression>", "only what was not begun about these objects")
      .option("--reason <text>", "why; it is kept in the ledger")
      .option("-y, --yes", "do not ask")
      .option("-n, --dry-run", "say what it would end, and change nothing"),
  async run(context, [id], options) {
    const target = controlTarget(id, options);
    const { api } = await context.connect();
    const { where, dryRun } = options;
    const order = {
      verb: "cancel",
      ...target,
      reason: options.reason ?? "",
      ...(where === undefined ? {} : { where }),
    } as const;
    const isWholeRun = target.scope === "run" && where === undefined;
    if (dryRun === true || !isWholeRun) {
      const preview = await api.control({ ...order, dryRun: true });
      const which = where === undefined ? "open" : "match and were not begun";
      context.io.stderr.write(`${targetWords(target)}: ${workWords(preview.work)} ${which}\n`);
      if (preview.notice !== undefined) context.note(preview.notice);
      if (dryRun === true) return context.print("", { ...preview });
      if (options.yes !== true && !(await confirm(context.io, 'end it? (only "yes" does) '))) {
        throw new EngineError("DECLINED", "nothing was cancelled");
      }
    }
    const report = await api.control(order);
    if (isWholeRun) {
      const run = await api.run(target.name);
      return context.print(() => formatRun(run, context.io.clock.now()), { run });
    }
    const ended =
      where === undefined ? workWords(report.work) : counted(report.cancelled, "action");
    context.print(`cancelled: ${ended}\n`, { ...report });
  },
});
