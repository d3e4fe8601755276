import type { ParsedDocument } from "#document/parse-documents.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import { repeatedNames } from "#policies/definitions/repeated-names.ts";
import { joinNames, type SharedNames } from "#policies/definitions/shared-names.ts";
import { ExpressionReader } from "#policies/expression-reader.ts";
import type { ParseOptions } from "#policies/parse-policies.ts";
import { expressionText, field } from "#policies/raw-value.ts";
import { readClasses } from "#policies/read-classes.ts";
import { readVariables } from "#policies/read-variables.ts";

export interface ReadDefinitions {
  /** Its own names and those it has from others. */
  readonly names: SharedNames;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Checks a document of definitions once, whoever includes it: its classes mean what they mean
 * here, and what is wrong with them is reported here.
 */
export function readDefinitions(
  { value, raw, places }: ParsedDocument<unknown>,
  inherited: SharedNames,
  options: ParseOptions,
): ReadDefinitions {
  const reader = new ExpressionReader(options.registry, places);
  const variables = readVariables(raw, places, options.variables ?? {}, inherited.variables);
  reader.variables = variables;
  const classes = readClasses(raw, reader, inherited.classes);
  reader.classes = classes;
  classes.finish();
  const diagnostics = [
    ...variables.diagnostics,
    ...reader.diagnostics,
    ...repeatedNames(raw, places, inherited),
  ];
  const own = {
    variables: new Map(
      [...variables.own].map(([name, variable]) => {
        return [name, { variable, label: places.label(["vars", name]) }] as const;
      }),
    ),
    classes: new Map(
      classes.own.map((name) => {
        const text = expressionText(field(field(raw, "classes"), name)) ?? "";
        const label = places.label(["classes", name]);
        return [name, { body: classes.body(name), text, places, label }] as const;
      }),
    ),
    isFaulty: value === undefined || diagnostics.some(({ severity }) => severity === "error"),
  };
  // What is declared here counts where both are; that there are two is reported above.
  return { names: joinNames(own, inherited, () => undefined), diagnostics };
}
