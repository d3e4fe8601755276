import { resolve } from "node:path";
import { Option } from "@commander-js/extra-typings";
import { defineCommand } from "#cli/command.ts";
import { driftForm } from "#cli/output/format-drift.ts";
import { count, counted } from "#cli/output/words.ts";
import { writeRows } from "#cli/output/write-rows.ts";
import { positiveInteger } from "#cli/positive-integer.ts";
import { isRowOutput, rowOutputOption } from "#cli/row-output.ts";
import { driftKinds, type DriftRequest } from "#model/inventory.ts";
import { formatSize } from "#model/quantity.ts";

const limitDefault = 50;
const differencesExitCode = 2;

export default defineCommand({
  name: "drift",
  words: ["drift"],
  summary: "list what the newest inventories found different from the index",
  examples: [
    "thermocline drift archive --kind lost",
    "thermocline drift --detailed-exitcode -o drift.parquet",
  ],
  setup: (command) =>
    command
      .argument("[backend]", "of this backend only")
      .addOption(new Option("--kind <kind>", "of this kind only").choices(driftKinds))
      .option(
        "--limit <n>",
        `the first so many; default ${limitDefault}, all of them in a file`,
        positiveInteger,
      )
      .option("--all", "without a limit")
      .option("--detailed-exitcode", "2 when something differs")
      .addOption(rowOutputOption()),
  async run(context, [backend], { kind, limit, all, detailedExitcode, output }) {
    const { api } = await context.connect();
    const toFile = !isRowOutput(output);
    const most = all === true ? undefined : (limit ?? (toFile ? undefined : limitDefault));
    const request: DriftRequest = {
      ...(backend === undefined ? {} : { backend }),
      ...(kind === undefined ? {} : { kind }),
      ...(most === undefined ? {} : { limit: most }),
    };
    const ended = (rows: number) => (rows > 0 && detailedExitcode ? differencesExitCode : 0);
    if (toFile) {
      const file = resolve(context.io.cwd, output);
      const written = await api.exportDrift({ ...request, file });
      const { rows, bytes } = written;
      context.print(`${counted(rows, "difference")}, ${formatSize(bytes)}, in ${file}\n`, {
        ...written,
      });
      return ended(rows);
    }
    const inventories = (await api.inventories()).filter(
      (one) => backend === undefined || one.backend === backend,
    );
    for (const { backend: name, endedAt, lost, unexpected, changed } of inventories) {
      const figures = `${count(lost)} lost, ${count(unexpected)} unexpected, ${count(changed)} changed`;
      context.note(`${name}: ${figures}, as of ${endedAt}`);
    }
    const form = { ...driftForm, head: { inventories } };
    const listed = await writeRows(api.drift(request), form, output, context.io);
    if (listed === most) context.note(`the first ${most}; see more with --limit or --all`);
    return context.io.signal.aborted ? 130 : ended(listed);
  },
});
