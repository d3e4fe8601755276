import { z } from "zod";
import { durationField, nameField } from "#document/fields.ts";
import { parseSecretReference, secretField } from "#model/secret-reference.ts";

const urlField = z
  .string()
  .refine((text) => parseSecretReference(text) !== undefined || /^https?:\/\/[^\s@]+$/.test(text), {
    error: "an address is https://HOST/PATH, without a password, or a reference such as env:NAME",
  });

/** Whom rules with `run: {notify}` may tell, by name. */
export const webhooksField = z
  .record(
    nameField,
    z.strictObject({
      url: urlField.describe("where messages are posted; env:NAME where the address is a secret"),
      secret: secretField,
      timeout: durationField.prefault("10s").describe("how long an answer may take"),
    }),
  )
  .default({})
  .describe("whom policies may tell of objects, by name; see policy-verbs.md");

/** What rules with `run: {command}` may have run, by name. */
export const commandsField = z
  .record(
    nameField,
    z.strictObject({
      run: z
        .array(z.string().min(1))
        .min(1)
        .describe("the program and its arguments, as they are: there is no shell"),
      environment: z
        .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/))
        .default(["PATH", "HOME", "LANG"])
        .describe("variables that it gets from the worker's environment; no others"),
      timeout: durationField.prefault("10m").describe("it is ended after this time"),
    }),
  )
  .default({})
  .describe("what policies may have run on workers, by name; see policy-verbs.md");

/** Where rules with `run: {export-car}` may put CARs, by name. */
export const exportsField = z
  .record(
    nameField,
    z.strictObject({
      path: z.string().min(1).describe("the folder, from the configuration; it must be there"),
    }),
  )
  .default({})
  .describe("folders into which policies may export objects, by name; see policy-verbs.md");
