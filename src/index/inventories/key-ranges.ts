/** A range of whole numbers, both ends within. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/**
 * Puts neighbouring groups, in order, together to ranges of about so many rows, of which each
 * begins behind the one before; a group alone may have more.
 */
export function rangesOf(
  groups: readonly { readonly number: number; readonly rows: number }[],
  rowsMax: number,
): readonly Range[] {
  const ranges: Range[] = [];
  let rows = 0;
  for (const group of groups) {
    const open = ranges.at(-1);
    if (open !== undefined && rows + group.rows <= rowsMax) {
      ranges[ranges.length - 1] = { first: open.first, last: group.number };
      rows += group.rows;
    } else {
      ranges.push({ first: open === undefined ? group.number : open.last + 1, last: group.number });
      rows = group.rows;
    }
  }
  return ranges;
}
