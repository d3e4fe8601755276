/**
 * A glob (`like`) in regular form. `*` stays within a segment of a path, `**` crosses them,
 * `**` + `/` also stands for no segment at all, `?` is one character but `/`, `[a-z]` and
 * `[!a-z]` are sets, `{a,b}` alternatives, `\` takes the next character as it is.
 */
export type Glob =
  /** No wildcard at all. */
  | { readonly kind: "exact"; readonly text: string }
  /** Only a final `**`: the database can answer this without a regular expression. */
  | { readonly kind: "prefix"; readonly text: string }
  /** RE2 for the whole text. */
  | { readonly kind: "pattern"; readonly regex: string };

export interface GlobProblem {
  readonly message: string;
  readonly hint: string;
}

/** Translates a glob that `globProblem` found nothing wrong with. */
export function readGlob(glob: string): Glob {
  if (!/[*?[{\\]/.test(glob)) return { kind: "exact", text: glob };
  const stem = glob.slice(0, -2);
  if (glob.endsWith("**") && !/[*?[{\\]/.test(stem)) return { kind: "prefix", text: stem };
  const regex = translate(glob);
  // A newline in a name is a character like any other.
  return { kind: "pattern", regex: typeof regex === "string" ? `(?s)${regex}` : "[^\\s\\S]" };
}

/**
 * The first text, by code points, after all those that begin with a prefix; undefined when there is
 * none, or the prefix is no sound Unicode.
 */
export function textAfter(prefix: string): string | undefined {
  if (!prefix.isWellFormed()) return undefined;
  const characters = Array.from(prefix);
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const code = last.codePointAt(0) ?? codeMax;
    if (code === codeMax) continue;
    // Between these there are no characters, but halves of some.
    const next = code + 1 === 0xd800 ? 0xe000 : code + 1;
    return `${characters.join("")}${String.fromCodePoint(next)}`;
  }
  return undefined;
}

const codeMax = 0x10ffff;

/** Why a glob means nothing, or undefined. */
export function globProblem(glob: string): GlobProblem | undefined {
  const result = translate(glob);
  return typeof result === "string" ? undefined : result;
}

function translate(glob: string): string | GlobProblem {
  let regex = "";
  let open = 0;
  for (let at = 0; at < glob.length; at += 1) {
    const character = glob[at] ?? "";
    if (character === "*") {
      const stars = /^\*+/.exec(glob.slice(at))?.[0].length ?? 1;
      if (stars > 2) return { message: `"${"*".repeat(stars)}" is no wildcard`, hint: starHint };
      const wholeSegments =
        stars === 2 && glob[at + 2] === "/" && (at === 0 || glob[at - 1] === "/");
      regex += wholeSegments ? "(?:.*/)?" : stars === 2 ? ".*" : "[^/]*";
      at += stars - 1 + (wholeSegments ? 1 : 0);
    } else if (character === "?") regex += "[^/]";
    else if (character === "[") {
      const set = /^\[(!|\^)?(\]?[^\]/]*)\]/.exec(glob.slice(at));
      if (!set) return { message: 'the set "[" does not end', hint: 'close it with "]"' };
      const body = setBody(set[2] ?? "");
      if (body === undefined) {
        return { message: `${set[0]} holds nothing`, hint: "write a range as [a-z]" };
      }
      regex += set[1] === undefined ? `[${body}]` : `[^/${body}]`;
      at += set[0].length - 1;
    } else if (character === "{") {
      regex += "(?:";
      open += 1;
    } else if (character === "}" && open > 0) {
      regex += ")";
      open -= 1;
    } else if (character === "," && open > 0) regex += "|";
    else if (character === "\\") {
      at += 1;
      if (at >= glob.length)
        return { message: 'the pattern ends in "\\"', hint: 'write "\\\\\\\\"' };
      regex += literal(glob[at] ?? "");
    } else regex += literal(character);
  }
  if (open > 0) return { message: '"{" is not closed', hint: "alternatives are {jpg,png}" };
  return regex;
}

const starHint = "* matches within a segment, ** across segments";

/** Single characters and ascending ranges, with all that is special in RE2 taken as it is. */
function setBody(text: string): string | undefined {
  const parts = [...text.matchAll(/(.)-(.)|(.)/gsu)].map(([, from, to, one]) => {
    if (one !== undefined) return inSet(one);
    if (from === undefined || to === undefined || from > to) return undefined;
    return `${inSet(from)}-${inSet(to)}`;
  });
  return parts.length === 0 || parts.includes(undefined) ? undefined : parts.join("");
}

function inSet(character: string): string {
  return /[\\\]^[-]/.test(character) ? `\\${character}` : character;
}

function literal(character: string): string {
  return /[\\^$.|?*+()[\]{}]/.test(character) ? `\\${character}` : character;
}
