import type { AttributeDefinition } from "#policies/attribute-definition.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import { codeAnchor } from "#document/docs-link.ts";
import { diagnosticCodes } from "#policies/diagnostic-codes.ts";
import { describeType } from "#policies/expression/value-type.ts";

/** The reference page of the words of the expression language, as Markdown. */
export function languageReference(registry: AttributeRegistry): string {
  const words = [...registry.values()];
  const ofObjects = words.filter(({ scope }) => scope === "object");
  const ofBackends = words.filter(({ scope }) => scope !== "object");
  return [
    "# Words of policy expressions",
    "",
    "Generated from `src/policies/attributes/` by `npm run schema`.",
    "",
    'What is unknown satisfies no comparison, nor its negation: `owner != "ana"` does not select',
    "objects without an owner. Ask for them: `missing(owner)`.",
    "",
    "## Of objects (`where`, `order`, classes)",
    "",
    ...table(ofObjects),
    "",
    "## Of backends (`on`, `from`, `to`, and inside of `copies(…)`)",
    "",
    ...table(ofBackends),
    "",
  ].join("\n");
}

/** The page of all diagnostic codes of policies: what was found, and what to do. */
export function diagnosticReference(): string {
  const rows = Object.entries(diagnosticCodes).map(
    ([code, [finding, remedy]]) => `| ${codeAnchor(code)} | ${finding} | ${remedy} |`,
  );
  return [
    "# Diagnostics of policies",
    "",
    "Generated from `src/policies/diagnostic-codes.ts` by `npm run schema`. `E` is an error,",
    "`W` a warning.",
    "",
    "| code | finding | what to do |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function table(words: readonly AttributeDefinition[]): readonly string[] {
  const rows = words.map((word) => {
    const name = word.kind === "function" ? `${word.name}(…)` : word.name;
    const missing = word.kind === "attribute" && word.nullable ? "may be" : "";
    const cells = [`\`${name}\``, describeType(word.type), missing, word.summary];
    return `| ${[...cells, `\`${word.example}\``].join(" | ")} |`;
  });
  return ["| word | type | missing | meaning | example |", "|---|---|---|---|---|", ...rows];
}
