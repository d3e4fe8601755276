import { isAlias, isCollection, isMap, isScalar, isSeq } from "yaml";
import type { Document, Node, Pair } from "yaml";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { DocumentSource } from "#document/document-source.ts";
import type { LineStarts } from "#document/line-starts.ts";
import { scalarOffsets } from "#document/scalar-offsets.ts";

/** Keys and list positions from the root of a document: `["rules", 2, "where"]`. */
export type DocumentPath = readonly PropertyKey[];

export type Range = Diagnostic["range"];

/** What a diagnostic says besides its place. */
export type Finding = Pick<Diagnostic, "code" | "message"> & {
  readonly hint?: string | undefined;
  readonly severity?: Diagnostic["severity"];
};

/** Where the keys and values of one parsed YAML document stand in its file. */
export class DocumentPlaces {
  readonly source: DocumentSource;
  readonly #document: Document.Parsed;
  readonly #lines: LineStarts;

  constructor(source: DocumentSource, document: Document.Parsed, lines: LineStarts) {
    this.source = source;
    this.#document = document;
    this.#lines = lines;
  }

  /** Whether something stands at a path. */
  has(path: DocumentPath): boolean {
    return this.#find(path).rest === 0;
  }

  /** The value at a path; when it does not exist, its nearest existing ancestor's key. */
  value(path: DocumentPath): Range {
    const found = this.#find(path);
    if (found.rest > 0) return this.key(path.slice(0, path.length - found.rest));
    const node = found.node;
    return node?.range ? this.offsets(node.range[0], node.range[1]) : this.key(path);
  }

  /** The key at the end of a path; for list items and the root, the start of their value. */
  key(path: DocumentPath): Range {
    const found = this.#find(path);
    const key = found.rest === 0 ? found.pair?.key : undefined;
    if (isScalar(key) && key.range) return this.offsets(key.range[0], key.range[1]);
    if (found.rest > 0) return this.key(path.slice(0, path.length - found.rest));
    const start = found.node?.range?.[0] ?? this.#document.range[0];
    return this.offsets(start, this.#endOfWord(start));
  }

  /** Half-open range of characters inside the text at a path, whatever its YAML quoting. */
  within(path: DocumentPath, start: number, end: number): Range {
    const node = this.#find(path).node;
    if (!isScalar(node) || typeof node.value !== "string" || !node.range) return this.value(path);
    const map = scalarOffsets(this.source.text, node.range[0], node.range[1], node);
    const at = (offset: number): number => map[Math.max(0, Math.min(offset, map.length - 1))] ?? 0;
    const from = at(start);
    return this.offsets(from, end > start ? at(end - 1) + 1 : from + 1);
  }

  /** Half-open range of offsets in the file. */
  offsets(start: number, end: number): Range {
    return {
      start: this.#lines.position(start),
      end: this.#lines.position(Math.max(start, end)),
    };
  }

  /** A diagnostic at a place of this document. */
  diagnostic(range: Range, finding: Finding): Diagnostic {
    const { code, message, hint, severity = "error" } = finding;
    const base = { file: this.source.file, range, severity, code, message };
    return hint === undefined ? base : { ...base, hint };
  }

  /** `file:line:column` of the value at a path. */
  label(path: DocumentPath): string {
    const { start } = this.value(path);
    return `${this.source.file}:${start.line}:${start.column}`;
  }

  #endOfWord(start: number): number {
    const match = /^[^\s:,\]}]+/.exec(this.source.text.slice(start, start + 200));
    return start + Math.max(1, match?.[0].length ?? 1);
  }

  /** Walks as far as the document goes; `rest` counts the steps that found nothing. */
  #find(path: DocumentPath): { node: Node | undefined; pair: Pair | undefined; rest: number } {
    let node: Node | undefined = this.#document.contents ?? undefined;
    let pair: Pair | undefined;
    for (const [depth, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(this.#document);
      const next: { node: Node | undefined; pair: Pair | undefined } | undefined = isCollection(
        node,
      )
        ? child(node, step)
        : undefined;
      if (next === undefined) return { node, pair, rest: path.length - depth };
      ({ node, pair } = next);
    }
    return { node, pair, rest: 0 };
  }
}

function child(
  node: Node,
  step: PropertyKey,
): { node: Node | undefined; pair: Pair | undefined } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === step);
    return pair && { node: (pair.value ?? undefined) as Node | undefined, pair };
  }
  if (isSeq(node) && typeof step === "number") {
    const item = node.items[step] as Node | undefined;
    return item && { node: item, pair: undefined };
  }
  return undefined;
}
