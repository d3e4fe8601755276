import { z } from "zod";
import { nameField } from "#document/fields.ts";
import type { RunOrder } from "#model/run-order.ts";
import { everyField, everyOf, isNotDone, repeatWords } from "#policies/run-actions/every-field.ts";
import type { RunActionDefinition } from "#policies/run-actions/run-action.ts";

const schema = z
  .strictObject({
    to: nameField.describe("A name under `exports:` of the configuration: a folder."),
    every: everyField(repeatWords),
  })
  .describe("Writes each object as a CAR, CID.car, into a folder; what is there intact stays.")
  .transform(({ to, every }) => ({
    order: { action: "export-car", folder: to } as const,
    ...everyOf(every),
  }));

type ExportOrder = Extract<RunOrder, { readonly action: "export-car" }>;

const exportCar: RunActionDefinition<ExportOrder, z.input<typeof schema>> = {
  name: "export-car",
  schema,
  example: "run: { export-car: { to: handover } }",
  words: ({ folder }) => `is exported to ${folder}`,
  wants: isNotDone,
};

export default exportCar;
