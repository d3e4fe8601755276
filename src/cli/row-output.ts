import { extname } from "node:path";
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { outputFormats } from "#cli/command.ts";
import { type RowOutput, rowOutputs } from "#cli/output/write-rows.ts";
import { rowFileFormats } from "#model/row-file.ts";

/** `-o` of commands that answer with rows: a form of standard output. */
export function rowFormOption() {
  const forms = rowOutputs.join("|");
  return new Option("-o, --output <form>", forms)
    .default("text")
    .env("THERMOCLINE_OUTPUT")
    .argParser((text: string): RowOutput => {
      const form = formNamed(text);
      if (form === undefined) throw new InvalidArgumentError(`Say ${forms}.`);
      return form;
    });
}

/** `-o` of commands that can also write a file: a form, or the name of that file. */
export function rowOutputOption() {
  const forms = rowOutputs.join("|");
  const endings = rowFileFormats.map((format) => `.${format}`).join("|");
  return new Option("-o, --output <form|file>", `${forms}, or a file that ends in ${endings}`)
    .default("text")
    .env("THERMOCLINE_OUTPUT")
    .argParser((text: string): string => {
      const form = formNamed(text);
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
