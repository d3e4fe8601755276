/** A column of a table; numbers stand on the right. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** Rows as aligned text, two blanks between columns, no trailing blanks. */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const clean = rows.map((row) => row.map(printable));
  const widths = columns.map((column, position) =>
    Math.max(width(column.title), ...clean.map((row) => width(row[position] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, position) => {
        const fill = " ".repeat(Math.max(0, (widths[position] ?? 0) - width(cell)));
        return columns[position]?.right === true ? fill + cell : cell + fill;
      })
      .join("  ")
      .trimEnd();
  const titles = columns.map((column) => column.title.toUpperCase());
  return `${[line(titles), ...clean.map(line)].join("\n")}\n`;
}

/** Pairs as `name  value` lines. */
export function textPairs(pairs: readonly (readonly [name: string, value: string])[]): string {
  const longest = Math.max(0, ...pairs.map(([name]) => width(name)));
  return pairs
    .map(([name, value]) => `${name}${" ".repeat(longest - width(name))}  ${printable(value)}\n`)
    .join("");
}

/** Names come from other people: control characters must not reach a terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return text.replaceAll(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g, "\uFFFD");
}

/** Columns on a terminal: wide characters count two, combining ones none. */
function width(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{Mn}|\u200D|\uFE0F/u.test(character)) continue;
    columns +=
      /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\u{1F300}-\u{1FAFF}]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return columns;
}
