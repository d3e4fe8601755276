import { isAlias, isMap, isScalar, isSeq, parseAllDocuments } from "yaml";

/**
 * What stands under `include:` in the documents of a text, each entry once. What is no text is
 * left out, and a text that is not sound YAML includes what is sound of it: errors are reported
 * where the documents are checked.
 */
export function includeEntries(text: string): readonly string[] {
  // Most texts include nothing and need not be parsed twice.
  if (!/\binclude\b/.test(text)) return [];
  const parsed = parseAllDocuments(text, { prettyErrors: false, version: "1.2" });
  const entries = (Array.isArray(parsed) ? parsed : []).flatMap((document) => {
    const resolved = (node: unknown) => (isAlias(node) ? node.resolve(document) : node);
    const { contents } = document;
    const list = isMap(contents) ? resolved(contents.get("include", true)) : undefined;
    return isSeq(list) ? list.items.map(resolved) : [];
  });
  const texts = entries.map((entry) => (isScalar(entry) ? entry.value : undefined));
  return [...new Set(texts.filter((text) => typeof text === "string"))];
}
