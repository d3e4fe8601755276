import { defineCommand } from "#cli/command.ts";
import { toJsonText } from "#cli/output/json.ts";

export default defineCommand({
  name: "batch-watch",
  words: ["batch", "watch"],
  summary: "tell of record batches as they are published, a JSON object a line, until stopped",
  examples: ["thermocline batch watch --after 0.0"],
  setup: (command) =>
    command.option("--after <cursor>", "those after this one too; all of them after 0.0"),
  async run(context, _args, { after }) {
    const { api } = await context.connect();
    const { stdout, signal } = context.io;
    const batches = api.followBatches(after)[Symbol.asyncIterator]();
    const stop = () => void batches.return?.();
    signal.addEventListener("abort", stop);
    try {
      for (let told = await batches.next(); told.done !== true; told = await batches.next()) {
        stdout.write(`${toJsonText(told.value)}\n`);
        await stdout.drain();
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
    return signal.aborted ? 130 : 0;
  },
});
