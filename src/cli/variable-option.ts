import { InvalidArgumentError, Option } from "@commander-js/extra-typings";

/** `--var name=value`, as often as it is needed. */
export function variableOption(meaning = "the value of a variable of the policies (repeatable)") {
  return new Option("--var <name=value>", meaning).argParser(variable);
}

/** Its values as a request has them; nothing when there are none. */
export function variablesOf({
  var: variables,
}: {
  readonly var?: Readonly<Record<string, string>> | undefined;
}): { readonly variables?: Readonly<Record<string, string>> } {
  return variables === undefined ? {} : { variables };
}

function variable(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return { ...before, [name.trim()]: value };
  throw new InvalidArgumentError("Say name=value: idle_limit=60d.");
}
