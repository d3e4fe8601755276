import { InvalidArgumentError } from "@commander-js/extra-typings";
import { defineCommand } from "#cli/command.ts";
import { formatRun } from "#cli/output/format-run.ts";

export default defineCommand({
  name: "priority",
  summary: "serve a run before others (higher number) or after them (lower; 0 is usual)",
  examples: ["thermocline priority run-3 10"],
  setup: (command) =>
    command
      .argument("<run>", "id of the run, see `thermocline runs`")
      .argument("<number>", "a whole number from -1000 to 1000", wholeNumber),
  async run(context, [id, priority]) {
    const { api } = await context.connect();
    const run = await api.setPriority(id, priority);
    context.print(() => formatRun(run, context.io.clock.now()), { run });
  },
});

function wholeNumber(text: string): number {
  if (/^[+-]?\d{1,4}$/.test(text) && Math.abs(Number(text)) <= 1_000) return Number(text);
  throw new InvalidArgumentError("it must be a whole number from -1000 to 1000.");
}
