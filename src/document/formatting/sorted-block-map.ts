import { isCollection, isNode, isPair, type YAMLMap } from "yaml";
import type { TextEdit } from "#document/formatting/sort-keys.ts";

/** An item of a block map: the lines above its key that belong to it, and its own lines. */
interface Item {
  /** Comments and blank lines between the item before and this one. */
  readonly lead: string;
  /** From its key to the end of the last line of its value. */
  readonly body: string;
}

/**
 * The items of a block map in another order, each with the comments and blank lines above it. What
 * stands above the first item stays there: it is about the whole map.
 */
export function sortedBlockMap(
  text: string,
  map: YAMLMap,
  places: readonly number[],
): TextEdit | undefined {
  const starts = map.items.map(({ key }) => (isNode(key) ? key.range?.[0] : undefined));
  const [start] = starts;
  if (start === undefined) return undefined;
  const indent = " ".repeat(start - lineStart(text, start));
  const items: Item[] = [];
  let end = start;
  for (const [at, { key, value }] of map.items.entries()) {
    const from = starts[at];
    const past = contentEnd(value) ?? contentEnd(key);
    if (from === undefined || past === undefined) return undefined;
    const lead = text.slice(end, at === 0 ? from : lineStart(text, from));
    // Something else in these lines (`? key`, an item on the line of another) is not for us.
    if (!/^(?:[ \t]*(?:#[^\n]*)?\r?\n)*$/.test(lead)) return undefined;
    if (at > 0 && text.slice(lineStart(text, from), from) !== indent) return undefined;
    end = lineEnd(text, Math.max(past, from));
    end += deeperComments(text.slice(end), indent.length);
    items.push({ lead: at === 0 ? "" : lead, body: withNewline(text.slice(from, end)) });
  }
  const sorted = places.flatMap((place) => items[place] ?? []);
  const parts = sorted.map(({ lead, body }, at) => (at === 0 ? body : lead + indent + body));
  const [first] = sorted;
  const moved = first === undefined ? "" : withoutBlankStart(first.lead);
  if (moved === "") return { start, end, text: parts.join("") };
  // The comments of what comes first go above the line in which the map begins.
  const line = lineStart(text, start);
  const [margin = ""] = /^ */.exec(text.slice(line, start)) ?? [];
  const above = moved.replaceAll(/^[ \t]+(?=#)/gm, margin).replaceAll(/^(?=#)/gm, margin);
  return { start: line, end, text: above + text.slice(line, start) + parts.join("") };
}

/** Where the last thing in a node ends; the range of a block also holds comments below it. */
function contentEnd(node: unknown): number | undefined {
  if (isPair(node)) return contentEnd(node.value) ?? contentEnd(node.key);
  if (!isNode(node)) return undefined;
  const last = isCollection(node) && node.flow !== true ? node.items.at(-1) : undefined;
  return contentEnd(last) ?? node.range?.[1];
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** Past the end of the line on which what ends at an offset stands. */
function lineEnd(text: string, offset: number): number {
  // A block scalar ends behind its last line break.
  if (offset > 0 && text[offset - 1] === "\n") return offset;
  const found = text.indexOf("\n", offset);
  return found === -1 ? text.length : found + 1;
}

/**
 * Length of the comments below an item that are further in than its key, with the blank lines
 * between them: they speak of what is inside of it.
 */
function deeperComments(rest: string, indent: number): number {
  const [found = ""] =
    new RegExp(`^(?:(?:[ \\t]*\\r?\\n)* {${indent + 1},}#[^\\n]*(?:\\n|$))+`).exec(rest) ?? [];
  return found.length;
}

function withNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

function withoutBlankStart(lead: string): string {
  return lead.replace(/^(?:[ \t]*\r?\n)+/, "");
}
