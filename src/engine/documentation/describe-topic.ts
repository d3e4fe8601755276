import { nearestMatch } from "#model/nearest-match.ts";
import { codeMeanings } from "#engine/code-meanings.ts";
import { docsLink } from "#document/docs-link.ts";
import type { JsonSchema } from "#config/setting-names.ts";
import { describeKey, keysBelow } from "#engine/documentation/describe-key.ts";
import { documentSchemas } from "#engine/documentation/document-schemas.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Topic } from "#model/topic.ts";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { describeType } from "#policies/expression/value-type.ts";

/**
 * Looks up a key of a document (`policy.rules.ensure`, `rules.ensure`, `config.queue.url`), a
 * word of the language or a diagnostic code. NOT_FOUND with the nearest one.
 */
export async function describeTopic(name: string): Promise<Topic> {
  const code = name.toUpperCase();
  if (codeMeanings[code] !== undefined) return codeTopic(code, codeMeanings[code]);
  const schemas = await documentSchemas();
  const words = await loadAttributes();
  // `rules[0].where` is a key as much as `rules.where`.
  const steps = name
    .replaceAll(/\[\d*\]/g, "")
    .split(".")
    .filter(Boolean);
  const [first = "", ...rest] = steps;
  const root = schemas.get(first);
  const key = root === undefined ? anywhere(schemas, steps) : describeKey(first, root, rest);
  const found = wordTopic(words, name, key) ?? key;
  if (found !== undefined) return found;
  const nearest = nearestTopic(schemas, words, steps);
  throw new EngineError("NOT_FOUND", `there is nothing called "${name}"`, {
    hint:
      nearest === undefined
        ? `keys begin with ${[...schemas.keys()].join(", ")}; objects are named by CID or /path`
        : `did you mean "${nearest}"? Objects are named by CID or /path`,
  });
}

function anywhere(
  schemas: ReadonlyMap<string, JsonSchema>,
  steps: readonly string[],
): Topic | undefined {
  for (const [root, schema] of schemas) {
    const topic = describeKey(root, schema, steps);
    if (topic !== undefined) return topic;
  }
  return undefined;
}

function wordTopic(
  words: AttributeRegistry,
  name: string,
  key: Topic | undefined,
): Topic | undefined {
  const word = words.get(name);
  if (word === undefined) return undefined;
  return {
    name,
    kind: "word",
    summary: word.summary,
    facts: [
      ["of", wordSubjects[word.scope]],
      ["form", word.type === undefined ? "that of its values" : describeType(word.type)],
      ["example", word.example],
      ...(key === undefined ? [] : [["also a key", key.name] as const]),
    ],
    keys: [],
  };
}

const wordSubjects = {
  object: "objects (where, order)",
  backend: "backends (on, from, to)",
  copy: "copies (inside of copies(…))",
  value: "values, of objects and of backends",
} as const;

function codeTopic(name: string, [finding, remedy]: readonly [string, string]): Topic {
  const facts: [string, string][] = [
    ["what to do", remedy],
    ["page", docsLink(name) ?? ""],
  ];
  return { name, kind: "code", summary: finding, facts, keys: [] };
}

/** The nearest name where the path stops to lead anywhere. */
function nearestTopic(
  schemas: ReadonlyMap<string, JsonSchema>,
  words: AttributeRegistry,
  steps: readonly string[],
): string | undefined {
  const [first = ""] = steps;
  const known = schemas.has(first) ? steps : ["policy", ...steps];
  const [root = "", ...path] = known;
  const schema = schemas.get(root) ?? {};
  for (const [at, step] of path.entries()) {
    const before = path.slice(0, at);
    const next = describeKey(root, schema, [...before, step]);
    if (next !== undefined) continue;
    const keys =
      before.length === 0 ? keysBelow([schema]) : (describeKey(root, schema, before)?.keys ?? []);
    const candidates = keys.map((one) => one.name);
    const own = at === 0 ? [...candidates, ...words.keys(), ...schemas.keys()] : candidates;
    const nearest = nearestMatch(step, own);
    if (nearest === undefined) return undefined;
    return candidates.includes(nearest) ? [root, ...before, nearest].join(".") : nearest;
  }
  return undefined;
}
