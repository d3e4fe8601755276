import type { Document, YAMLError } from "yaml";
import { documentCodes } from "#document/diagnostic-codes.ts";
import type { DocumentPlaces, Finding } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";

/** One mistake in YAML tends to echo; more than this many per document help nobody. */
const findingsMax = 20;

/** What the YAML parser says of one document, one finding per place. */
export function syntaxFindings(document: Document.Parsed, places: DocumentPlaces): Diagnostic[] {
  const problems: readonly YAMLError[] = [...document.errors, ...document.warnings];
  const tooDeep = problems.filter((problem) => problem.code === "RESOURCE_EXHAUSTION");
  // After running out of stack the parser reports every open bracket on the way back.
  const shown = tooDeep.length > 0 ? tooDeep.slice(0, 1) : problems;
  const seen = new Set<number>();
  const findings: Diagnostic[] = [];
  for (const problem of shown.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    if (seen.has(problem.pos[0]) || findings.length === findingsMax) continue;
    seen.add(problem.pos[0]);
    findings.push(describe(problem, places));
  }
  return findings;
}

function describe(problem: YAMLError, places: DocumentPlaces): Diagnostic {
  const [start, end] = problem.pos;
  if (problem.code !== "DUPLICATE_KEY") {
    return places.diagnostic(places.offsets(start, end), syntaxFinding(problem));
  }
  const rest = places.source.text.slice(start, start + 200);
  const key = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s:][^:\n]*?)\s*:/.exec(rest)?.[1] ?? "";
  return places.diagnostic(places.offsets(start, start + Math.max(1, key.length)), {
    code: documentCodes.duplicateKey,
    message: `the key ${key === "" ? "" : `"${key.replaceAll(/^["']|["']$/g, "")}" `}stands twice`,
    hint: "keep one of the two: which one would win is not obvious to a reader",
  });
}

function syntaxFinding(problem: YAMLError): Finding {
  const known = remedies[problem.code];
  return {
    code: documentCodes.syntax,
    message: known?.message ?? lowerFirst(problem.message),
    hint: known?.hint,
  };
}

const remedies: Readonly<Record<string, { message: string; hint: string }>> = {
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
