import { extname } from "node:path";
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { outputFormats } from "#cli/command.ts";
import { type RowOutput, rowOutputs } from "#cli/output/write-rows.ts";
import { rowFileFormats } from "#model/row-file.ts";

/** A form of output that is no text: Arrow's streaming format, for a pipe. */
export const arrowOutput = "arrow";

/**
 * `-o` of commands that answer with rows and can also write a file: a form of standard output,
 * `more` of them than others have, or the name of that file.
 */
export function rowOutputOption(more: readonly string[] = []) {
  const forms = [...rowOutputs, ...more].join("|");
  const endings = rowFileFormats.map((format) => `.${format}`).join("|");
  return new Option("-o, --output <form|file>", `${forms}, or a file that ends in ${endings}`)
    .default("text")
    .env("THERMOCLINE_OUTPUT")
    .argParser((text: string): string => {
      const form = more.find((known) => known === text) ?? formNamed(text);
      if (form !== undefined) return form;
      if (rowFileFormats.some((format) => extname(text) === `.${format}`)) return text;
      throw new InvalidArgumentError(`Say ${forms}, or name a file that ends in ${endings}.`);
    });
}

/** Whether it names a form of standard output; else it names a file. */
export function isRowOutput(output: string): output is RowOutput {
  return rowOutputs.some((known) => known === output);
}

/** A form that only other commands know (the variable is for all of them) is text here. */
function formNamed(text: string): RowOutput | undefined {
  if (isRowOutput(text)) return text;
  return outputFormats.some((known) => known === text) ? "text" : undefined;
}
