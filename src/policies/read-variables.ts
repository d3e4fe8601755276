import type { DocumentPlaces } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { SharedNames } from "#policies/definitions/shared-names.ts";
import type { Variable, VariableScope } from "#policies/expression/check-context.ts";
import { readLiteral } from "#policies/expression/read-literal.ts";
import { describeType, sameType, unknownType } from "#policies/expression/value-type.ts";
import { field, isRecord } from "#policies/raw-value.ts";
import { variableTypes } from "#policies/variable-types.ts";

export interface ReadVariables extends VariableScope {
  readonly diagnostics: readonly Diagnostic[];
  /** Those that the document itself declares. */
  readonly own: ReadonlyMap<string, Variable>;
  /** Of those, the ones that no expression asked for. */
  unused(): readonly string[];
}

/**
 * The variables of a document, and those it has from others, with the values given from outside (`--var`) in place of their
 * defaults. Reads the YAML value as it is, so that other errors do not hide these.
 */
export function readVariables(
  raw: unknown,
  places: DocumentPlaces,
  given: Readonly<Record<string, string>>,
  inherited: SharedNames["variables"],
): ReadVariables {
  const diagnostics: Diagnostic[] = [];
  const declared = field(raw, "vars");
  const variables = new Map<string, Variable>();
  for (const [name, declaration] of Object.entries(isRecord(declared) ? declared : {})) {
    const result = readVariable(name, declaration, given[name]);
    variables.set(name, result.variable);
    if (result.problem === undefined) continue;
    const path = ["vars", name, ...(result.problem.atDefault ? ["default"] : [])];
    const range = result.problem.atDefault ? places.value(path) : places.key(path);
    diagnostics.push(places.diagnostic(range, { code: "E0162", ...result.problem.finding }));
  }
  const asked = new Set<string>();
  return {
    diagnostics,
    own: variables,
    names: [...new Set([...variables.keys(), ...inherited.keys()])],
    get(name) {
      asked.add(name);
      return variables.get(name) ?? inherited.get(name)?.variable;
    },
    unused: () => [...variables.keys()].filter((name) => !asked.has(name)),
  };
}

interface ReadVariable {
  readonly variable: Variable;
  readonly problem?: {
    readonly atDefault: boolean;
    readonly finding: { readonly message: string; readonly hint?: string };
  };
}

const unknownVariable: Variable = { type: unknownType, value: null };

function readVariable(name: string, declaration: unknown, given: string | undefined): ReadVariable {
  const typeName = field(declaration, "type");
  if (typeof typeName !== "string" || !Object.hasOwn(variableTypes, typeName)) {
    return { variable: unknownVariable };
  }
  const type = variableTypes[typeName as keyof typeof variableTypes];
  const standard = field(declaration, "default");
  const isScalar = ["string", "number", "boolean"].includes(typeof standard);
  const text = given ?? (isScalar ? `${standard as string | number | boolean}` : undefined);
  if (text === undefined) {
    const finding = {
      message: `the variable "${name}" has no value`,
      hint: `add "default: …", or give --var ${name}=…`,
    };
    return { variable: { type, value: null }, problem: { atDefault: false, finding } };
  }
  if (type.kind === "text") return { variable: { type, value: text } };
  if (type.kind === "ordinal" && type.words.includes(text)) {
    return { variable: { type, value: text } };
  }
  const value = readLiteral(text);
  const isZero = value?.value === 0 && type.kind === "quantity";
  if (value !== undefined && (isZero || sameType(value.type, type))) {
    return { variable: { type, value: value.value } };
  }
  const source = given === undefined ? `the default of "${name}"` : `--var ${name}`;
  const finding = {
    message: `${source} is "${text}", which is not ${describeType(type)}`,
    hint: `write a ${typeName}, such as ${samples[typeName] ?? "true"}`,
  };
  return {
    variable: { type, value: null },
    problem: { atDefault: given === undefined, finding },
  };
}

const samples: Readonly<Record<string, string>> = {
  duration: "30d",
  size: "10GiB",
  number: "0.5",
  percent: "85%",
  timestamp: "2026-01-31T18:30:00Z",
  tier: "cold",
  money: "50 USD",
  price: "0.10 USD/GiB/month",
};
