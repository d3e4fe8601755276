import { defineCommand } from "#cli/command.ts";
import { formatObject } from "#cli/output/format-object.ts";

export default defineCommand({
  name: "objects-show",
  words: ["objects", "show"],
  summary: "show everything known of one object: copies, reads, history",
  examples: ["thermocline objects show /photos/cat.jpg"],
  setup: (command) => command.argument("<object>", "CID, path or object number"),
  async run(context, [reference]) {
    const { api } = await context.connect();
    const object = await api.object(reference);
    context.print(() => formatObject(object, context.io.clock.now()), { object });
  },
});
