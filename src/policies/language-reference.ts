import type { AttributeDefinition } from "#policies/attribute-definition.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import { codeAnchor } from "#document/docs-link.ts";
import { diagnosticCodes } from "#policies/diagnostic-codes.ts";
import { describeType } from "#policies/expression/value-type.ts";

/** The reference page of the words of the expression language, as Markdown. */
export function languageReference(registry: AttributeRegistry): string {
  const words = [...registry.values()];
  const ofObjects = words.filter(({ scope }) => scope === "object");
  const ofBackends = words.filter(({ scope }) => scope === "backend" || scope === "copy");
  const ofValues = words.filter(({ scope }) => scope === "value");
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
    "## Of values (everywhere)",
    "",
    "They compute a value from others. Tags and labels are text: `number(meta.level) > 3` compares one",
    "as a number, `timestamp(meta.expires) < now` as a point in time. Where two values are asked for,",
    "they are of the same type, which is that of the whole.",
    "",
    ...table(ofValues),
    "",
    ...limits,
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

/** What people look for in vain, and what there is instead. */
const limits = [
  "## What there is no word for",
  "",
  "| looked for | why not, and what to do instead |",
  "|---|---|",
  "| the number of links, inode, mode or allocated blocks of a file | objects are content, not files: `size`, `path`, `owner` and tags are known of them; an import can tag what else matters (`meta.mode`) |",
  "| directories, empty folders | a folder is a part of paths and holds nothing by itself: `path like`, `depth` |",
  "| the state of a copy in an HSM (archived, released, dirty) | where copies are says it: `copies(tier = archive) >= 1`, `lacks(tier = hot) = 0` |",
  "| a random sample | the same inputs give the same plan: order by `cid`, which is as good as chance, and `limit` |",
  '| the place that a tag of the object names | backends are chosen when a policy is compiled: one rule for each value, `where: meta.home = "eu"` and `on: region = "eu"` |',
  "| the hour or weekday | policies have `schedule` and `windows` ([schedules](schedules.md)) |",
  "| weights of backends | `prefer` says which go first ([what rules say](policy-verbs.md#where-new-copies-go-prefer)); among those that are alike room decides, always the same way |",
];

function table(words: readonly AttributeDefinition[]): readonly string[] {
  const rows = words.map((word) => {
    const name = word.kind === "attribute" ? word.name : `${word.name}(…)`;
    const missing = word.kind !== "computation" && word.nullable === true ? "may be" : "";
    const type = word.type === undefined ? "that of its values" : describeType(word.type);
    const cells = [`\`${name}\``, type, missing, word.summary];
    return `| ${[...cells, `\`${word.example}\``].join(" | ")} |`;
  });
  return ["| word | type | missing | meaning | example |", "|---|---|---|---|---|", ...rows];
}
