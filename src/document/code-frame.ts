import type { Diagnostic } from "#model/diagnostic.ts";

/** Longer lines are cut around the caret so that a frame fits a terminal. */
const columnsMax = 100;

/** The source line of a diagnostic with a caret line below it, or undefined without a line. */
export function codeFrame(text: string, range: Diagnostic["range"]): string | undefined {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  const line = lines[range.start.line - 1]?.replace(/\r$/, "");
  if (line === undefined || line.trim() === "") return undefined;
  const from = range.start.column - 1;
  const to = range.end.line === range.start.line ? range.end.column - 1 : line.length;
  const length = Math.max(1, Math.min(to, line.length) - from);
  const cut = from + length > columnsMax ? Math.max(0, from - 20) : 0;
  const shown = line.slice(cut, cut + columnsMax);
  const number = String(range.start.line);
  // Tabs stay tabs below the line, so that the caret stands where the terminal puts the text.
  const padding = line.slice(cut, from).replaceAll(/[^\t]/g, " ");
  const caret = "^".repeat(Math.min(length, Math.max(1, columnsMax - (from - cut))));
  const gutter = " ".repeat(number.length);
  return `${number} | ${shown}\n${gutter} | ${padding}${caret}`;
}
