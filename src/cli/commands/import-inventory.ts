import { defineCommand } from "#cli/command.ts";
import { count } from "#cli/output/words.ts";
import { textPairs } from "#cli/output/text-table.ts";

export default defineCommand({
  name: "import-inventory",
  words: ["import", "inventory"],
  summary: "compare what a backend lists with the index, and correct the index",
  setup: (command) => command.argument("<backend>", "name of the backend"),
  async run(context, [backend]) {
    const { api } = await context.connect();
    const report = await api.importInventory(backend);
    context.print(
      () =>
        textPairs([
          ["backend", report.backend],
          ["listed", count(report.listed)],
          ["confirmed", count(report.confirmed)],
          ["lost", count(report.lost)],
          ["unexpected", count(report.unexpected)],
          ["changed", count(report.changed)],
        ]),
      { report },
    );
  },
});
