import { isAlias, isMap, isScalar, isSeq } from "yaml";
import type { Document, Node } from "yaml";
import { documentCodes } from "#document/diagnostic-codes.ts";
import type { DocumentPlaces, Finding } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";

/** Aliases may not blow a document up beyond this many values. */
const expandedValuesMax = 100_000;

/**
 * Finds aliases that name nothing, contain themselves, or expand to too much, without
 * expanding anything: the size of each anchored value is computed once.
 */
export function aliasFindings(document: Document.Parsed, places: DocumentPlaces): Diagnostic[] {
  const findings: Diagnostic[] = [];
  const sizes = new Map<string, number>();
  const open = new Set<string>();
  let reported = false;

  const report = (node: Node, finding: Finding): void => {
    const [start, end] = node.range ?? [0, 0];
    findings.push(places.diagnostic(places.offsets(start, end), finding));
  };
  const sizeOfAlias = (node: Node, name: string): number => {
    const size = sizes.get(name);
    if (size === undefined) report(node, open.has(name) ? selfReference(name) : unknown(name));
    return size ?? 1;
  };
  const sizeOf = (node: unknown): number => {
    if (isAlias(node)) return sizeOfAlias(node, node.source);
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return 1;
    const anchor = node.anchor;
    // An anchor may be set again; until its new value is complete the name means itself.
    if (anchor !== undefined) {
      open.add(anchor);
      sizes.delete(anchor);
    }
    let size = 1;
    if (isMap(node)) for (const pair of node.items) size += sizeOf(pair.key) + sizeOf(pair.value);
    if (isSeq(node)) for (const item of node.items) size += sizeOf(item);
    if (size > expandedValuesMax && !reported) {
      reported = true;
      report(node, tooMuch);
    }
    if (anchor !== undefined) {
      open.delete(anchor);
      sizes.set(anchor, size);
    }
    return size;
  };
  sizeOf(document.contents);
  return findings;
}

const tooMuch: Finding = {
  code: documentCodes.aliasExpansion,
  message: `aliases expand this to more than ${expandedValuesMax} values`,
  hint: "write the repeated part out, or use fewer nested anchors (&name) and aliases (*name)",
};

const selfReference = (name: string): Finding => ({
  code: documentCodes.aliasExpansion,
  message: `the alias "*${name}" contains itself`,
  hint: `move the anchor "&${name}" to a value that does not use the alias`,
});

const unknown = (name: string): Finding => ({
  code: documentCodes.aliasExpansion,
  message: `the alias "*${name}" names no anchor above it`,
  hint: `set "&${name}" on an earlier value, or quote the text if a "*" was meant`,
});
