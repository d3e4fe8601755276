import { z } from "zod";
import { nameField } from "#document/fields.ts";
import type { RunOrder } from "#model/run-order.ts";
import { everyField, everyOf, isNotDone, repeatWords } from "#policies/run-actions/every-field.ts";
import type { RunActionDefinition } from "#policies/run-actions/run-action.ts";

const schema = z
  .strictObject({
    name: nameField.describe("A name under `commands:` of the configuration."),
    every: everyField(repeatWords),
  })
  .describe(
    "Hands the objects to a command that the configuration names: up to a thousand at a time, as JSON lines.",
  )
  .transform(({ name, every }) => ({
    order: { action: "command", command: name } as const,
    ...everyOf(every),
  }));

type CommandOrder = Extract<RunOrder, { readonly action: "command" }>;

const command: RunActionDefinition<CommandOrder, z.input<typeof schema>> = {
  name: "command",
  schema,
  example: "run: { command: { name: scan-for-viruses } }",
  words: ({ command }) => `is handed to command ${command}`,
  wants: isNotDone,
};

export default command;
