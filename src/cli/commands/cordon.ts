import { defineCommand } from "#cli/command.ts";

export default defineCommand({
  name: "cordon",
  summary: "let no new copies go to a backend",
  examples: ['thermocline cordon disk-2 --reason "new disks on Monday"'],
  setup: (command) => command.argument("<backend>", "name of the backend"),
  async run(context, [backend]) {
    const { api } = await context.connect();
    await api.setCordon(backend, true);
    context.print(`${backend} is cordoned: no new copies go there\n`, { backend, cordoned: true });
  },
});
