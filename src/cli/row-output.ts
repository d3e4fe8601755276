import { extname } from "node:path";
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { type RowOutput, rowOutputs } from "#cli/output/write-rows.ts";
import { rowFileFormats } from "#model/row-file.ts";

/** `-o` of commands that answer with rows: a format, or the name of a file to write instead. */
export function rowOutputOption() {
  const formats = rowOutputs.join("|");
  const endings = rowFileFormats.map((format) => `.${format}`).join("|");
  return new Option("-o, --output <format|file>", `${formats}, or a file that ends in ${endings}`)
    .default("text")
    .argParser((text: string) => {
      if (isRowOutput(text) || rowFileFormats.some((format) => extname(text) === `.${format}`)) {
        return text;
      }
      throw new InvalidArgumentError(`Say ${formats}, or name a file that ends in ${endings}.`);
    });
}

/** Whether it names a form of standard output; else it names a file. */
export function isRowOutput(output: string): output is RowOutput {
  return rowOutputs.some((known) => known === output);
}
