import { z } from "zod";

/** Where a secret can be found; the secret itself never stands in a document. */
const secretSchemes = ["env", "file", "command"] as const;
export type SecretScheme = (typeof secretSchemes)[number];

export interface SecretReference {
  readonly scheme: SecretScheme;
  /** Name of a variable, path of a file, or a command with its arguments. */
  readonly target: string;
}

/** `env:NAME`, `file:PATH` or `command:PROGRAM ARGUMENTS…`; undefined for anything else. */
export function parseSecretReference(text: string): SecretReference | undefined {
  const match = /^(env|file|command):(.+)$/s.exec(text.trim());
  const [, scheme, target = ""] = match ?? [];
  if (scheme === undefined || target.trim() === "") return undefined;
  return { scheme: scheme as SecretScheme, target: target.trim() };
}

/** How to write a secret, for hints. */
export const secretHint =
  "write env:NAME, file:PATH or command:PROGRAM …; what was written here should be changed, " +
  "as it may have been seen";

/**
 * A field that holds a secret: only a reference may stand there. The finding (E0110) does not
 * repeat what was written.
 */
export const secretField = z
  .string()
  .superRefine((text, context) => {
    if (parseSecretReference(text) !== undefined) return;
    context.addIssue({
      code: "custom",
      message: "a secret may not be written out here, only a reference to it",
      params: { code: "E0110", hint: secretHint },
    });
  })
  .describe("a secret by reference: env:NAME, file:PATH or command:PROGRAM …")
  .meta({ pattern: "^(env|file|command):.+" });
