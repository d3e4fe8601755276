/**
 * A field that holds a secret by its name, which may be misspelt, with what stands behind it;
 * `key` only where it is the whole name. Without its colon it is a mistake that may be at hand.
 */
const named = new RegExp(
  "(?:(?:secret|token|passw|passphrase|pwd|credential|authori[sz]ation|bearer|private[_-]?key|" +
    "api[_-]?key|access[_-]?key|key[_-]?id)[\\w.-]*[\"']?(?:\\s*[:=]|\\s)|" +
    "(?<![\\w.-])key[\"']?\\s*[:=])[ \\t]*(.*)",
  "i",
);
const inAddress = /\/\/[^/\s]*@|:\/\/[^\s?]{0,2000}\?[^\s=]{0,2000}=/;
/** What refers to a secret is none. */
const reference = /^["']?(?:env|file|command):[^\s,}\]"']+/;
/** No value yet: it stands on a later line, or there is none. */
const empty = /^(?:[|>][-+0-9]*|[&!][^\s,{}]*)?\s*(?:#.*)?$/;

/**
 * Whether a secret may be written out on a line: in a field by whose name it is one, or in an
 * address with a user, a password or a query. It looks at the text, as a document with a wrong
 * syntax has no fields, and would rather hide too much. Lines are counted from 1.
 */
export function mayHoldSecret(lines: readonly string[], line: number): boolean {
  const text = lines[line - 1] ?? "";
  if (find(text) === "secret") return true;
  let indent = indentOf(text);
  let isNext = true;
  for (let at = line - 1; at >= 1 && (isNext || indent > 0); at--) {
    const above = lines[at - 1] ?? "";
    if (above.trim() === "") continue;
    // The value of a field may stand below its name, and go on there.
    const found = find(above);
    if (isNext && found === "begun") return true;
    isNext = false;
    if (indentOf(above) >= indent) continue;
    if (found !== "none") return true;
    indent = indentOf(above);
  }
  return false;
}

/** Whether a field of this name holds a secret. */
export function isSecretName(name: string): boolean {
  return named.test(`${name}:`);
}

/** "begun": a field whose value stands on later lines. */
function find(text: string): "none" | "begun" | "secret" {
  if (inAddress.test(text)) return "secret";
  let rest = text;
  for (;;) {
    const value = named.exec(rest)?.[1];
    if (value === undefined) return "none";
    if (empty.test(value)) return "begun";
    const referring = reference.exec(value)?.[0];
    if (referring === undefined && !/^[,}\]]/.test(value)) return "secret";
    rest = value.slice(referring?.length ?? 1);
  }
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}
