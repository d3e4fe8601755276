import { targetWords } from "#model/control.ts";
import { defineCommand } from "#cli/command.ts";
import { controlTarget } from "#cli/control-target.ts";
import { formatInFlight, formatPauses, workWords } from "#cli/output/format-control.ts";

export default defineCommand({
  name: "pause",
  summary: "hold work back: of a run, policy, backend, node, or everything",
  examples: [
    "thermocline pause run-3",
    `thermocline pause --backend s3-eu --until 2h --reason "provider is slow"`,
    `thermocline pause --all --reason "something deletes what it should not"`,
  ],
  setup: (command) =>
    command
      .argument("[run]", "id of the run, see `thermocline runs`")
      .option("--policy <name>", "what this policy wants")
      .option("--backend <name>", "what reads from it, writes to it or removes from it")
      .option("--node <name>", "what this node works on; others go on")
      .option("--all", "everything: the emergency stop")
      .option("--reason <text>", "why; it is shown to all and kept in the ledger")
      .option("--until <time>", "resume by itself: at a time (ISO 8601) or after a duration")
      .option("-n, --dry-run", "say what it would hold, and change nothing"),
  async run(context, [id], options) {
    const target = controlTarget(id, options);
    const { api } = await context.connect();
    const report = await api.control({
      verb: "pause",
      ...target,
      reason: options.reason ?? "",
      ...(options.until === undefined ? {} : { until: options.until }),
      ...(options.dryRun === true ? { dryRun: true } : {}),
    });
    if (report.notice !== undefined) context.note(report.notice);
    const now = context.io.clock.now();
    const done = options.dryRun === true ? "would be paused" : "is paused";
    context.print(
      () =>
        `${targetWords(target)} ${done}: ${workWords(report.work)}\n` +
        `${formatPauses(report.pauses, now)}\n${formatInFlight(report.inFlight, now)}`,
      { ...report },
    );
    context.note("what is in flight comes to rest at its next checkpoint, within seconds");
  },
});
