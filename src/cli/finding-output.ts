import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { outputFormats } from "#cli/command.ts";

/** `-o` of commands whose answer is findings, in forms that other tools read. */
export function findingOutputOption<Form extends string>(forms: readonly [Form, ...Form[]]) {
  const [standard] = forms;
  const named = (text: string): Form | undefined => forms.find((form) => form === text);
  return new Option("-o, --output <form>", forms.join("|"))
    .default(standard)
    .env("THERMOCLINE_OUTPUT")
    .argParser((text: string): Form => {
      const form = named(text);
      if (form !== undefined) return form;
      // The variable is for all commands: a form that only others know is text here.
      if (outputFormats.some((known) => known === text)) return standard;
      throw new InvalidArgumentError(`Say ${forms.join("|")}.`);
    });
}
