import { defineCommand } from "#cli/command.ts";

export default defineCommand({
  name: "release",
  summary: "end the protection of a held object",
  setup: (command) =>
    command
      .argument("<object>", "CID, path or object number")
      .requiredOption("--reason <text>", "why; it is kept in the ledger"),
  async run(context, [reference], { reason }) {
    const { api } = await context.connect();
    const object = await api.setHold(reference, false, reason);
    context.print(`${object.path ?? object.cid} is released\n`, { object });
  },
});
