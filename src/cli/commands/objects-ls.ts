import { resolve } from "node:path";
import type { ObjectsRequest } from "#model/engine-api.ts";
import { formatSize } from "#model/quantity.ts";
import { atOption, connectAsOf, fromOption, snapshotOption } from "#cli/as-of.ts";
import { defineCommand } from "#cli/command.ts";
import { objectForm } from "#cli/output/format-object.ts";
import { counted } from "#cli/output/words.ts";
import { writeRows } from "#cli/output/write-rows.ts";
import { positiveInteger } from "#cli/positive-integer.ts";
import { isRowOutput, rowOutputOption } from "#cli/row-output.ts";

const limitDefault = 50;

export default defineCommand({
  name: "objects-ls",
  words: ["objects", "ls"],
  isDefault: true,
  summary: "list objects, or write them to a file",
  examples: [
    `thermocline objects ls --where 'heat < 0.5 and size > 1GiB' --sort 'size desc'`,
    `thermocline objects ls --where 'copies() < 2' --all -o ndjson`,
    "thermocline objects ls -o objects.parquet",
    "thermocline objects ls --snapshot newest --from archive",
  ],
  setup: (command) =>
    command
      .option("--where <expression>", "only these, in the language of policies")
      .option("--sort <keys>", "as rules order: 'heat desc, size'; default: in order of arrival")
      .option(
        "--limit <n>",
        `the first so many; default ${limitDefault}, all of them in a file`,
        positiveInteger,
      )
      .option("--all", "without a limit")
      .addOption(snapshotOption())
      .addOption(atOption())
      .addOption(fromOption())
      .addOption(rowOutputOption()),
  async run(context, _args, { where, sort, limit, all, output, ...words }) {
    const { api, asOf } = await connectAsOf(context, words);
    const toFile = !isRowOutput(output);
    const most = all === true ? undefined : (limit ?? (toFile ? undefined : limitDefault));
    const request: ObjectsRequest = {
      ...asOf,
      ...(where === undefined ? {} : { where }),
      ...(sort === undefined ? {} : { sort }),
      ...(most === undefined ? {} : { limit: most }),
    };
    if (toFile) {
      const file = resolve(context.io.cwd, output);
      const written = await api.exportObjects({ ...request, file });
      const { rows, bytes } = written;
      context.print(`${counted(rows, "object")}, ${formatSize(bytes)}, in ${file}\n`, {
        ...written,
      });
      return 0;
    }
    const form = objectForm(context.io.clock.now());
    const listed = await writeRows(api.objects(request), form, output, context.io);
    if (listed === most) context.note(`the first ${most}; see more with --limit or --all`);
    return context.io.signal.aborted ? 130 : 0;
  },
});
