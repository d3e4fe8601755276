import { defineCommand } from "#cli/command.ts";
import { counted } from "#cli/output/words.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "batch-verify",
  words: ["batch", "verify"],
  summary: "read record batches again and say whether they have their CIDs",
  examples: ["thermocline batch verify", "thermocline batch verify bafkreif"],
  setup: (command) => command.argument("[batches...]", "CIDs, or beginnings of them; default all"),
  async run(context, [batches]) {
    const { api } = await context.connect();
    const checks = await api.checkBatches(batches.length === 0 ? undefined : batches);
    const wrong = checks.filter(({ state }) => state !== "intact");
    const bytes = checks.reduce((sum, check) => sum + check.bytes, 0);
    const lines = wrong.map(({ cid, state }) => `${cid}: ${state}\n`);
    const intact = counted(checks.length - wrong.length, "batch");
    context.print(`${lines.join("")}${intact} intact, ${formatSize(bytes)} read\n`, { checks });
    return wrong.length === 0 ? 0 : 1;
  },
});
