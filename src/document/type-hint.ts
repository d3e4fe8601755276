import { plainAddress } from "#document/value-words.ts";

/**
 * What to write instead of a value of the wrong type; undefined when nobody can know.
 *
 * @param keys what a map at its place may say
 */
export function typeHint(
  value: unknown,
  expected: readonly string[],
  keys: readonly string[],
): string | undefined {
  if (value === null) return "give it a value, or remove the key";
  const isCondition = expected.includes("string") && expected.includes("boolean");
  if (isCondition && Array.isArray(value)) return "write one condition, its parts joined by and";
  if (expected.includes("boolean") && typeof value === "string") return truthHint(value);
  if (expected.includes("string") && (typeof value === "number" || typeof value === "boolean")) {
    return `put it in quotes: "${value}"`;
  }
  if (expected.includes("array") && typeof value === "string") {
    return `write [${plainAddress(value)}]`;
  }
  if (expected.includes("array") && typeof value === "object") {
    return "a list has a dash before each entry: - name: …";
  }
  if (keys.length === 0 || !(expected.includes("object") || expected.includes("record"))) {
    return undefined;
  }
  return `write {${keys[0]}: …}; its keys are: ${keys.join(", ")}`;
}

/** `yes` and `no` are plain text in YAML 1.2. */
function truthHint(value: string): string | undefined {
  if (/^(yes|y|on|true)$/i.test(value)) return "write true";
  return /^(no|n|off|false)$/i.test(value) ? "write false" : undefined;
}
