import { defineCommand } from "#cli/command.ts";
import { endOf } from "#cli/end-of.ts";
import { formatLimits } from "#cli/output/format-limits.ts";
import { positiveInteger } from "#cli/positive-integer.ts";
import { EngineError } from "#model/engine-error.ts";

export default defineCommand({
  name: "limits-set",
  words: ["limits", "set"],
  summary: "change how hard a backend may be worked, at once and on every node",
  examples: [
    "thermocline limits set cold --bandwidth 10M",
    'thermocline limits set cold --bandwidth "08:00,512k 19:00,off" --rate 50/s',
    "thermocline limits set cold --concurrency 2 --until 3h",
  ],
  setup: (command) =>
    command
      .argument("<backend>", "name of the backend")
      .option("--bandwidth <limit>", "10M, 10M:100k (upload:download), off, or a timetable")
      .option("--rate <calls>", "calls of the storage: 50/s, 1000/min, off")
      .option("--concurrency <n>", "batches at a time, by all nodes", positiveInteger)
      .option("--per-node <n>", "batches at a time on one node", positiveInteger)
      .option("--until <when>", "then the configuration counts again: 2h, or a time")
      .option("--reason <text>", "kept in the ledger"),
  async run(context, [backend], options) {
    const { bandwidth, rate, concurrency, perNode, until, reason } = options;
    const wanted = { bandwidth, rate, concurrency, perNode };
    if (Object.values(wanted).every((value) => value === undefined)) {
      throw new EngineError("USAGE", "nothing to change was given", {
        hint: "give --bandwidth, --rate, --concurrency or --per-node",
      });
    }
    const { api } = await context.connect();
    const limits = await api.setLimits({
      backend,
      ...(bandwidth === undefined ? {} : { bandwidth }),
      ...(rate === undefined ? {} : { rate }),
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(perNode === undefined ? {} : { perNode }),
      ...(until === undefined ? {} : { until: endOf(until, context.io.clock.now()) }),
      ...(reason === undefined ? {} : { reason }),
    });
    context.print(() => formatLimits([limits]), { limits });
  },
});
