import type { DocumentPath } from "#document/document-places.ts";

/** ` in rule "cool"`: the nearest thing around a path that has a name, else its key. */
export function container(path: DocumentPath, raw: unknown): string {
  const value = valueAt(raw, path);
  const name = isRecord(value) ? value["name"] : undefined;
  const key = path.at(-1);
  const list = path.at(-2);
  if (typeof key === "number" && typeof list === "string") {
    const kind = list.replace(/ies$/, "y").replace(/s$/, "");
    return typeof name === "string" ? ` in ${kind} "${name}"` : ` in ${kind} ${key + 1}`;
  }
  return typeof key === "string" ? ` in "${key}"` : "";
}

/** The value at a path, or undefined. */
export function valueAt(raw: unknown, path: DocumentPath): unknown {
  let value = raw;
  for (const step of path) {
    if (Array.isArray(value) && typeof step === "number") value = value[step];
    else if (isRecord(value) && Object.hasOwn(value, step)) value = value[String(step)];
    else return undefined;
  }
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a value is, in words. */
export function describeValue(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  return quoted(value);
}

/** A scalar as it would be written, shortened, without what may be secret in addresses. */
export function quoted(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(plainAddress(value)) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…${typeof value === "string" ? '"' : ""}` : text;
}

/** A text in which addresses have neither users nor queries. */
export function plainAddress(text: string): string {
  return text
    .replaceAll(/:\/\/[^/\s]*@/g, "://***@")
    .replaceAll(/(:\/\/[^\s?#]{0,2000}[?#])[^\s\])}>,;]+/g, "$1***");
}

/** Names of types as people use them. */
export const typeWords: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
  null: "nothing",
};
