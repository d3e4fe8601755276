import type { Diagnostic } from "#model/diagnostic.ts";
import { nameHint } from "#model/name-hint.ts";

/** Values from outside (`--var name=value`) for variables that no policy has. */
export function strangeVariables(
  given: Readonly<Record<string, string>>,
  declared: readonly string[],
): readonly Diagnostic[] {
  const start = { line: 1, column: 1 };
  return Object.keys(given)
    .filter((name) => !declared.includes(name))
    .map((name) => ({
      file: "--var",
      range: { start, end: start },
      severity: "error" as const,
      code: "E0163",
      message: `no policy has a variable "${name}"`,
      hint: nameHint(name, declared, "variables"),
    }));
}
