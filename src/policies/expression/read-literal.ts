import { type Variable, noClasses, noVariables } from "#policies/expression/check-context.ts";
import { readValue } from "#policies/expression/read-expression.ts";

/** A value with its unit, such as `30d` or `0.10 USD/GiB/month`; undefined for anything else. */
export function readLiteral(text: string): Variable | undefined {
  const expression = readValue(text, {
    registry: new Map(),
    scope: "object",
    variables: noVariables,
    classes: noClasses,
    report: () => undefined,
  });
  return expression?.kind === "literal" ? expression : undefined;
}
