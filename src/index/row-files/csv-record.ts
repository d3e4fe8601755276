/** Stands between the cells of a record that had quotation marks, once these are gone. */
export const cellSeparator = "\u001F";

/** Whether a quotation mark is open behind `text`, read from a place on. */
export function leavesQuoteOpen(text: string, from: number, isOpen: boolean): boolean {
  let open = isOpen;
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 1)) open = !open;
  return open;
}

/** The cells of one record of CSV (RFC 4180); undefined when its quotation marks are misplaced. */
export function csvCells(text: string, delimiter: string): readonly string[] | undefined {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] !== '"') {
      const end = text.indexOf(delimiter, at);
      const cell = end === -1 ? text.slice(at) : text.slice(at, end);
      if (cell.includes('"')) return undefined;
      cells.push(cell);
      if (end === -1) return cells;
      at = end + delimiter.length;
      continue;
    }
    const end = endOfQuoted(text, at);
    if (end === undefined) return undefined;
    cells.push(text.slice(at + 1, end).replaceAll('""', '"'));
    if (end + 1 === text.length) return cells;
    if (!text.startsWith(delimiter, end + 1)) return undefined;
    at = end + 1 + delimiter.length;
  }
}

/** The place of the mark that closes the one at `at`; doubled ones are part of the cell. */
function endOfQuoted(text: string, at: number): number | undefined {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 2)) {
    if (text[end + 1] !== '"') return end;
  }
  return undefined;
}
