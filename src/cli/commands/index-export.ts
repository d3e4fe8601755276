import { extname, resolve } from "node:path";
import { Option } from "@commander-js/extra-typings";
import { atOption, connectAsOf, fromOption, snapshotOption } from "#cli/as-of.ts";
import { defineCommand } from "#cli/command.ts";
import { counted } from "#cli/output/words.ts";
import { exportedPer } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatSize } from "#model/quantity.ts";
import { rowFileFormats } from "#model/row-file.ts";

const formats = [...rowFileFormats, "car"] as const;

export default defineCommand({
  name: "index-export",
  words: ["index", "export"],
  summary:
    "write what the index knows of objects, or of their copies, to a file for other programs",
  examples: [
    "thermocline index export objects.parquet",
    "thermocline index export copies.arrow --per copy --where 'size > 1GiB'",
    "thermocline index export /backup/objects --format car --snapshot newest",
  ],
  setup: (command) =>
    command
      .argument("<file>", "written by the controller")
      .addOption(
        new Option("--format <format>", "default: what the name of the file ends in").choices(
          formats,
        ),
      )
      .addOption(
        new Option("--per <what>", "what a row is about").choices(exportedPer).default("object"),
      )
      .option("--where <expression>", "only these objects, in the language of policies")
      .addOption(snapshotOption())
      .addOption(atOption())
      .addOption(fromOption()),
  async run(context, [name], { format, per, where, ...words }) {
    const file = resolve(context.io.cwd, namedFor(name, format));
    const { api, asOf } = await connectAsOf(context, words);
    const request = { ...asOf, ...(where === undefined ? {} : { where }), per, file };
    const written = await api.exportObjects(request);
    const { rows, bytes, cid } = written;
    const what = `${counted(rows, per)}, ${formatSize(bytes)}, in ${file}\n`;
    context.print(cid === undefined ? what : `${cid}\n${what}`, { ...written });
  },
});

/** The name with the ending of its format, which must not say another one. */
function namedFor(name: string, format: (typeof formats)[number] | undefined): string {
  const ending = extname(name).slice(1);
  const said = formats.find((known) => known === ending);
  if (format === undefined && said === undefined) {
    throw new EngineError("USAGE", `${name} does not say in which format it is to be`, {
      hint: `end the name in .${formats.join(", .")}, or give --format`,
    });
  }
  if (format === undefined || format === said) return name;
  if (said === undefined) return `${name}.${format}`;
  throw new EngineError("USAGE", `${name} ends in .${said}, and --format says ${format}`, {
    hint: "leave one of them away",
  });
}
