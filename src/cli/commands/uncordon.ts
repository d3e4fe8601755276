import { defineCommand } from "#cli/command.ts";

export default defineCommand({
  name: "uncordon",
  summary: "let new copies go to a backend again",
  examples: ["thermocline uncordon disk-2"],
  setup: (command) => command.argument("<backend>", "name of the backend"),
  async run(context, [backend]) {
    const { api } = await context.connect();
    await api.setCordon(backend, false);
    context.print(`${backend} takes new copies again\n`, { backend, cordoned: false });
  },
});
