import type { Document, YAMLError } from "yaml";
import { documentCodes } from "#document/diagnostic-codes.ts";
import type { DocumentPlaces, Finding } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";

/** One mistake in YAML tends to echo; more than this many per document help nobody. */
const findingsMax = 20;
/** Characters of a line that are looked at, to say what is wrong with it. */
const lookedAtMax = 200;
/** Characters of a key or value that a hint repeats. */
const repeatedMax = 60;

/** What the YAML parser says of one document, one finding per place. */
export function syntaxFindings(document: Document.Parsed, places: DocumentPlaces): Diagnostic[] {
  const problems: readonly YAMLError[] = [...document.errors, ...document.warnings];
  const tooDeep = problems.filter((problem) => problem.code === "RESOURCE_EXHAUSTION");
  // After running out of stack the parser reports every open bracket on the way back.
  const shown = tooDeep.length > 0 ? tooDeep.slice(0, 1) : problems;
  const seen = new Set<number>();
  const findings: Diagnostic[] = [];
  const codes = new Set<string>();
  for (const problem of shown.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    if (seen.has(problem.pos[0]) || findings.length === findingsMax) continue;
    if (echoes(problem.code, codes)) continue;
    codes.add(problem.code);
    seen.add(problem.pos[0]);
    findings.push(describe(problem, places));
  }
  return findings;
}

/** Where the structure is broken once, all that follows seems to be out of place. */
function echoes(code: string, earlier: ReadonlySet<string>): boolean {
  const breaks = structureCodes.some((one) => earlier.has(one));
  if (code === "BLOCK_AS_IMPLICIT_KEY") {
    return earlier.has("BAD_INDENT") || earlier.has("TAB_AS_INDENT");
  }
  return breaks && code !== "TAB_AS_INDENT" && structureCodes.includes(code);
}

const structureCodes: readonly string[] = [
  "BAD_INDENT",
  "BLOCK_AS_IMPLICIT_KEY",
  "MISSING_CHAR",
  "MULTILINE_IMPLICIT_KEY",
  "TAB_AS_INDENT",
  "UNEXPECTED_TOKEN",
];

function describe(problem: YAMLError, places: DocumentPlaces): Diagnostic {
  const [start, end] = problem.pos;
  if (problem.code !== "DUPLICATE_KEY") {
    return places.diagnostic(places.offsets(start, end), syntaxFinding(problem, places));
  }
  const rest = places.source.text.slice(start, start + lookedAtMax);
  const key = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s:][^:\n]*?)\s*:/.exec(rest)?.[1] ?? "";
  return places.diagnostic(places.offsets(start, start + Math.max(1, key.length)), {
    code: documentCodes.duplicateKey,
    message: `the key ${key === "" ? "" : `"${key.replaceAll(/^["']|["']$/g, "")}" `}stands twice`,
    hint: "keep one of the two: which one would win is not obvious to a reader",
  });
}

function syntaxFinding(problem: YAMLError, { source }: DocumentPlaces): Finding {
  const rest = source.text.slice(problem.pos[0]);
  const known = unquoted(problem, rest) ?? remedies[problem.code];
  return {
    code: documentCodes.syntax,
    message: known?.message ?? lowerFirst(problem.message),
    hint: known?.hint,
  };
}

/** Signs of YAML within an expression that nobody has put in quotes. */
function unquoted({ code, message }: YAMLError, rest: string) {
  if (code === "MULTILINE_IMPLICIT_KEY") return withoutColon(rest);
  // `{on: backend in ("a", "b")}`: the comma ends the text, and what follows is out of place.
  if (code === "MISSING_CHAR" && message.includes("flow map") && within.test(rest)) {
    return {
      message: "a comma of a text that has no quotes ends it within { }",
      hint: quotesHint("commas"),
    };
  }
  if (code === "BLOCK_AS_IMPLICIT_KEY" && !rest.startsWith("-")) {
    const [line = ""] = rest.split("\n", 1);
    return line.includes(": ")
      ? { message: "this has two values for one key", hint: quotesHint('": "') }
      : {
          message: "the line below stands deeper than the key of this one",
          hint: "indent keys of one map alike, with spaces",
        };
  }
  if (code !== "UNEXPECTED_TOKEN" || !message.endsWith("at node end")) return undefined;
  return rest.startsWith("[") || rest.startsWith("{")
    ? { message: "a bracket within a text that has no quotes", hint: quotesHint("brackets") }
    : {
        message: "text goes on after its closing quote",
        hint: "put the whole of it in quotes of the other kind: '\"a b\" in tags'",
      };
}

/** A line that should be `key: value`, without what makes it one. */
function withoutColon(rest: string) {
  // Lines have up to millions of characters: what is looked at is bounded, and what is repeated.
  const [line = ""] = rest.slice(0, lookedAtMax).split("\n", 1);
  const [, key = "", between = "", after = ""] = /^([\w-]+)(:?)(.*)/su.exec(line) ?? [];
  const message =
    between === "" ? "this line has no colon after its key" : "no blank stands after the colon";
  if (key === "" || key.length > repeatedMax) return { message, hint: "write key: value" };
  const value = after.trim();
  const isWhole = value !== "" && value.length <= repeatedMax && line.length < lookedAtMax;
  return { message, hint: `write "${key}: ${isWhole ? value : "…"}"` };
}

function quotesHint(sign: string): string {
  return `put an expression with ${sign} in quotes: {from: 'backend in ["a", "b"]'}`;
}

/** A bracket of the text closes where, of the map, nothing had opened. */
const within = /^\s*\)/;

const remedies: Readonly<Record<string, { message: string; hint: string }>> = {
  BAD_INDENT: {
    message: "a bracket before this place is not closed, or the line is not indented enough",
    hint: "close the bracket, or indent the line with spaces as those beside it",
  },
  UNEXPECTED_TOKEN: {
    message: "this has no place here",
    hint: "look before the caret for a bracket or quote too many, or too few",
  },
  TAB_AS_INDENT: {
    message: "a tab indents this line; YAML allows spaces only",
    hint: "replace the tab with spaces",
  },
  RESOURCE_EXHAUSTION: {
    message: "the document is nested too deeply",
    hint: "no document of thermocline nests more than a few levels",
  },
  TAG_RESOLVE_FAILED: {
    message: "YAML tags (`!name`) mean nothing here",
    hint: "remove the tag",
  },
  NON_STRING_KEY: {
    message: "a key must be plain text",
    hint: "a list or map cannot be a key; quote the text if brackets were meant",
  },
};

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
