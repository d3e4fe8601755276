import type { Scalar } from "yaml";

/**
 * For each character of a YAML string (and one past its end) its offset in the file.
 *
 * Folding, indentation and escapes change white space only, or write one character in several;
 * so the visible characters of file and value correspond one to one, in order, and white space
 * follows the visible character before it.
 */
export function scalarOffsets(
  text: string,
  start: number,
  end: number,
  scalar: Scalar,
): readonly number[] {
  const value = String(scalar.value);
  const visible = visibleCharacters(text, start, end, scalar.type);
  const offsets: number[] = [];
  let next = 0;
  let after = visible[0]?.offset ?? start;
  for (let position = 0; position < value.length; position += 1) {
    const entry = /\s/.test(value[position] ?? "") ? undefined : visible[next];
    if (entry === undefined) {
      offsets.push(Math.min(after, end));
      after += 1;
      continue;
    }
    next += 1;
    offsets.push(entry.offset);
    after = entry.offset + entry.length;
  }
  offsets.push(Math.min(after, end));
  return offsets;
}

interface Visible {
  readonly offset: number;
  readonly length: number;
}

function visibleCharacters(text: string, start: number, end: number, type: unknown): Visible[] {
  if (type === "QUOTE_DOUBLE") return doubleQuoted(text, start + 1, end - 1);
  if (type === "QUOTE_SINGLE") return undecorated(text, start + 1, end - 1, true);
  const isBlock = type === "BLOCK_LITERAL" || type === "BLOCK_FOLDED";
  const header = text.indexOf("\n", start);
  const bodyStart = isBlock ? (header === -1 ? end : header + 1) : start;
  return undecorated(text, bodyStart, end, false);
}

function undecorated(text: string, start: number, end: number, single: boolean): Visible[] {
  const visible: Visible[] = [];
  for (let offset = start; offset < end; offset += 1) {
    const character = text[offset] ?? "";
    if (/\s/.test(character)) continue;
    const length = single && character === "'" && text[offset + 1] === "'" ? 2 : 1;
    visible.push({ offset, length });
    offset += length - 1;
  }
  return visible;
}

const hexDigits: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
/** Escapes whose result is white space in JavaScript's sense, as `/\s/` sees it. */
const whiteEscapes = new Set(["t", "\t", "n", "v", "f", "r", " ", "_", "L", "P"]);

function doubleQuoted(text: string, start: number, end: number): Visible[] {
  const visible: Visible[] = [];
  let offset = start;
  while (offset < end) {
    const character = text[offset] ?? "";
    const escape = text[offset + 1] ?? "";
    if (character !== "\\") {
      if (!/\s/.test(character)) visible.push({ offset, length: 1 });
      offset += 1;
    } else if (Object.hasOwn(hexDigits, escape)) {
      const digits = hexDigits[escape] ?? 0;
      const code = Number.parseInt(text.slice(offset + 2, offset + 2 + digits), 16);
      const units = Number.isNaN(code) || code > 0x10ffff ? "" : String.fromCodePoint(code);
      const entry = { offset, length: digits + 2 };
      for (const unit of units.split("")) if (!/\s/.test(unit)) visible.push(entry);
      offset += digits + 2;
    } else {
      // A backslash before a line end joins lines and stands for nothing.
      const isNothing = whiteEscapes.has(escape) || escape === "\n";
      if (!isNothing) visible.push({ offset, length: 2 });
      offset += 2;
    }
  }
  return visible;
}
