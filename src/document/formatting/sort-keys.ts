import { isDeepStrictEqual } from "node:util";
import { isMap, isScalar, isSeq, parseAllDocuments, visit, type YAMLMap } from "yaml";
import type { ZodType } from "zod";
import type { DocumentPath } from "#document/document-places.ts";
import { sortedBlockMap } from "#document/formatting/sorted-block-map.ts";
import { sortedFlowMap } from "#document/formatting/sorted-flow-map.ts";
import { allowedKeys } from "#document/schema-walk.ts";

/** A part of a text and what takes its place. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Says by what schema a document is read; undefined leaves it as it is. */
export type SchemaOf = (raw: unknown) => ZodType | undefined;

/** Deeper than any of our documents; each pass sorts one level of maps. */
const passesMax = 32;

/**
 * Puts the keys of every map into the order of the schema. Everything else stays as the author
 * wrote it: comments and blank lines go with the key below them, lines are not broken anew, and
 * names that people choose keep their order. Undefined for a text that is not sound YAML, and for
 * one that would come to mean something else (an alias before its anchor).
 */
export function sortKeys(text: string, schemaOf: SchemaOf): string | undefined {
  const before = valuesOf(text);
  if (before === undefined) return undefined;
  let current = text;
  for (let pass = 0; pass < passesMax; pass += 1) {
    const edits = nextEdits(current, schemaOf);
    if (edits.length === 0) break;
    for (const { start, end, text: sorted } of edits.toReversed()) {
      current = current.slice(0, start) + sorted + current.slice(end);
    }
    if (!isDeepStrictEqual(before, valuesOf(current))) return undefined;
  }
  return current;
}

/** What sorts the outermost maps that are not in order, from the first to the last. */
function nextEdits(text: string, schemaOf: SchemaOf): readonly TextEdit[] {
  const edits: TextEdit[] = [];
  for (const document of documentsOf(text)) {
    if (document.errors.length > 0) return [];
    const raw: unknown = document.toJS();
    const schema = schemaOf(raw);
    if (schema === undefined) continue;
    visit(document, {
      Map(_key, map, ancestors) {
        const path = pathOf([...ancestors, map]);
        const edit = sortedMap(text, map, allowedKeys(schema, path, raw));
        if (edit === undefined) return undefined;
        edits.push(edit);
        return visit.SKIP;
      },
    });
  }
  return edits;
}

function sortedMap(text: string, map: YAMLMap, order: readonly string[]): TextEdit | undefined {
  const names = map.items.map(({ key }) =>
    isScalar(key) && typeof key.value === "string" ? key.value : undefined,
  );
  if (order.length === 0 || names.includes(undefined)) return undefined;
  const rank = (at: number): number => {
    const place = order.indexOf(names[at] ?? "");
    return place === -1 ? order.length : place;
  };
  const places = names.map((_, at) => at).toSorted((a, b) => rank(a) - rank(b) || a - b);
  if (places.every((place, at) => place === at)) return undefined;
  return map.flow === true ? sortedFlowMap(text, map, places) : sortedBlockMap(text, map, places);
}

/** Keys and positions that lead to the last of some nodes. */
function pathOf(nodes: readonly unknown[]): DocumentPath {
  return nodes.flatMap((node, at): readonly PropertyKey[] => {
    const next = nodes[at + 1];
    if (isSeq(node)) return [node.items.indexOf(next)];
    if (!isMap(node)) return [];
    const key = node.items.find((pair) => pair === next)?.key;
    return isScalar(key) ? [String(key.value)] : [];
  });
}

function documentsOf(text: string) {
  const parsed = parseAllDocuments(text, {
    prettyErrors: false,
    stringKeys: true,
    strict: true,
    uniqueKeys: true,
    version: "1.2",
  });
  return Array.isArray(parsed) ? parsed : [];
}

/** What a text says; undefined when it has errors. */
function valuesOf(text: string): readonly unknown[] | undefined {
  const documents = documentsOf(text);
  if (documents.some(({ errors }) => errors.length > 0)) return undefined;
  try {
    return documents.map((document): unknown => document.toJS());
  } catch {
    // More aliases than anything that people write: YAML's own bound against expansion.
    return undefined;
  }
}
