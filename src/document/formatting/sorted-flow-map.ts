import { isNode, type YAMLMap } from "yaml";
import type { TextEdit } from "#document/formatting/sort-keys.ts";

/**
 * The items of `{b: 1, a: 2}` in another order; what stands between them stays in its place. A map
 * with comments inside is left alone: they would come to stand beside another item.
 */
export function sortedFlowMap(
  text: string,
  map: YAMLMap,
  places: readonly number[],
): TextEdit | undefined {
  const items = map.items.map(({ key, value }) => {
    const from = isNode(key) ? key.range : undefined;
    const to = isNode(value) ? value.range : undefined;
    return from && { start: from[0], end: to ? Math.max(to[1], from[1]) : from[1] };
  });
  const [first, last] = [items[0], items.at(-1)];
  if (!first || !last) return undefined;
  const parts: string[] = [];
  let end = first.start;
  for (const [at, slot] of items.entries()) {
    const taken = items[places[at] ?? at];
    if (!slot || !taken) return undefined;
    const between = text.slice(end, slot.start);
    if (between.includes("#")) return undefined;
    parts.push(between, text.slice(taken.start, taken.end));
    end = slot.end;
  }
  return { start: first.start, end: last.end, text: parts.join("") };
}
