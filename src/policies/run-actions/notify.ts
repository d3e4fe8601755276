import { z } from "zod";
import { nameField } from "#document/fields.ts";
import type { RunOrder } from "#model/run-order.ts";
import { everyField, everyOf, isNotDone, repeatWords } from "#policies/run-actions/every-field.ts";
import type { RunActionDefinition } from "#policies/run-actions/run-action.ts";

const schema = z
  .strictObject({
    webhook: nameField.describe("A name under `webhooks:` of the configuration."),
    every: everyField(repeatWords),
  })
  .describe("Tells a webhook of the objects: one signed message for up to a thousand of them.")
  .transform(({ webhook, every }) => ({
    order: { action: "notify", webhook } as const,
    ...everyOf(every),
  }));

type WebhookOrder = Extract<RunOrder, { readonly action: "notify" }>;

const notify: RunActionDefinition<WebhookOrder, z.input<typeof schema>> = {
  name: "notify",
  schema,
  example: "run: { notify: { webhook: curators, every: 30d } }",
  words: ({ webhook }) => `is told to webhook ${webhook}`,
  wants: isNotDone,
};

export default notify;
