import { defineCommand } from "#cli/command.ts";

export default defineCommand({
  name: "hold",
  summary: "protect an object: no copy of it may be removed",
  setup: (command) =>
    command
      .argument("<object>", "CID, path or object number")
      .requiredOption("--reason <text>", "why; it is kept in the ledger"),
  async run(context, [reference], { reason }) {
    const { api } = await context.connect();
    const object = await api.setHold(reference, true, reason);
    context.print(`${object.path ?? object.cid} is held\n`, { object });
  },
});
