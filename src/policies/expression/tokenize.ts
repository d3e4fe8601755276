import { nearestMatch } from "#model/nearest-match.ts";
import type { ReportProblem } from "#policies/expression/expression-problem.ts";
import { instantPattern, parseInstant } from "#policies/expression/instant.ts";
import type { Span } from "#policies/expression/span.ts";
import { symbols, type Token } from "#policies/expression/token.ts";
import { unitNamed, unitNames, unitPer } from "#policies/expression/units.ts";
import {
  quantity,
  sameType,
  textType,
  timestampType,
  type ValueType,
} from "#policies/expression/value-type.ts";

/** Cuts an expression into tokens. Returns undefined after reporting why it cannot. */
export function tokenize(source: string, report: ReportProblem): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let position = 0;
  while (position < source.length) {
    if (/\s/.test(source[position] ?? "")) {
      position += 1;
      continue;
    }
    const token = readToken(source, position, report);
    if (token === undefined) return undefined;
    tokens.push(token);
    position = token.span.end;
  }
  tokens.push({ kind: "end", span: { source, start: source.length, end: source.length } });
  return tokens;
}

const timestampPattern = new RegExp(instantPattern, "y");
const numberPattern = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|\d+(?:\.\d+)?/y;
const wordPattern = /[A-Za-z_][A-Za-z0-9_]*/y;
const variablePattern = /\$([A-Za-z_][A-Za-z0-9_]*)/y;

function readToken(source: string, at: number, report: ReportProblem): Token | undefined {
  const timestamp = matchAt(timestampPattern, source, at);
  if (timestamp) return readTimestamp(spanOf(source, at, timestamp[0]), report);
  const number = matchAt(numberPattern, source, at);
  if (number) return readQuantity(source, at, number[0], report);
  const word = matchAt(wordPattern, source, at);
  if (word) return { kind: "word", text: word[0], span: spanOf(source, at, word[0]) };
  const variable = matchAt(variablePattern, source, at);
  if (variable) {
    return { kind: "variable", name: variable[1] ?? "", span: spanOf(source, at, variable[0]) };
  }
  if (source[at] === '"' || source[at] === "'") return readText(source, at, report);
  const foreign = foreignSymbols.find(([text]) => source.startsWith(text, at));
  if (foreign) {
    const [text, hint] = foreign;
    const span = spanOf(source, at, text);
    report({ code: "E0151", span, message: `"${text}" is not part of the language`, hint });
    return undefined;
  }
  const symbol = symbols.find((text) => source.startsWith(text, at));
  if (symbol) return { kind: "symbol", text: symbol, span: spanOf(source, at, symbol) };
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
  const span = spanOf(source, at, character);
  const isOrder = /^:\s*(?:asc|desc)\b/.test(source.slice(at));
  const hint = isOrder ? 'write the order after a blank: "size desc"' : strayCharacters[character];
  report({
    code: "E0151",
    span,
    message: `"${character}" is not part of the language`,
    ...(hint === undefined ? {} : { hint }),
  });
  return undefined;
}

/** The same for single characters with which nothing of this language begins. */
const strayCharacters: Readonly<Record<string, string>> = {
  $: "a variable is written $name",
  "&": 'write "and"',
  "|": 'write "or"',
  "!": 'write "not"',
  "\\": 'write "and not (…)"',
  "“": 'text stands in straight quotes: "ana"',
  "”": 'text stands in straight quotes: "ana"',
  "‘": 'text stands in straight quotes: "ana"',
  "’": 'text stands in straight quotes: "ana"',
  "≥": "write >=",
  "≤": "write <=",
  "≠": "write !=",
  ":": 'a label of backends is labels.key, as in copies(labels.group = "archive") >= 1',
};

/** What people bring along from other languages, with the word for it in this one. */
const foreignSymbols: readonly (readonly [string, string])[] = [
  ["==", 'write "=" for equality'],
  ["=~", 'write "matches" for a regular expression'],
  ["<>", 'write "!=" for inequality'],
  ["&&", 'write "and"'],
  ["||", 'write "or"'],
  ["%", "a percentage is a number right before the sign: 85%"],
];

function readTimestamp(span: Span, report: ReportProblem): Token | undefined {
  const text = span.source.slice(span.start, span.end);
  const value = parseInstant(text);
  if (value === undefined) {
    report({
      code: "E0153",
      span,
      message: `there is no point in time "${text.replace(" ", "T")}"`,
      hint: "write 2026-01-31 or 2026-01-31T18:30:00Z",
    });
    return undefined;
  }
  return { kind: "literal", type: timestampType, value, span };
}

function readText(source: string, start: number, report: ReportProblem): Token | undefined {
  const quote = source[start];
  let value = "";
  for (let at = start + 1; at < source.length; at += 1) {
    const character = source[at] ?? "";
    if (character === quote) {
      return { kind: "literal", type: textType, value, span: { source, start, end: at + 1 } };
    }
    if (character === "\\" && (source[at + 1] === quote || source[at + 1] === "\\")) {
      at += 1;
      value += source[at] ?? "";
      continue;
    }
    value += character;
  }
  const span = { source, start, end: source.length };
  const message = "the text that starts here does not end";
  report({ code: "E0152", span, message, hint: `close it with ${quote ?? '"'}` });
  return undefined;
}

/** `30d`, `1h30m`, `85%`, `10 GiB`, `200/min`, `0.10 USD/GiB/month`. */
function readQuantity(
  source: string,
  start: number,
  number: string,
  report: ReportProblem,
): Token | undefined {
  let value = Number(number);
  let type = quantity({});
  let end = start + number.length;
  const first = matchAt(/(\s*)(%|[A-Za-z_]+)/y, source, end);
  const unit = first && unitNamed(first[2] ?? "");
  if (first && !unit && first[1] === "") {
    const name = first[2] ?? "";
    const span = { source, start: end, end: end + name.length };
    report({ code: "E0154", span, message: `"${name}" is not a unit`, hint: unitHint(name) });
    return undefined;
  }
  if (first && unit) {
    value = scale(number, unit.factor);
    type = unit.type;
    end += first[0].length;
    for (;;) {
      const more = matchAt(/(\d+(?:\.\d+)?)([A-Za-z]+)/y, source, end);
      const next = more && unitNamed(more[2] ?? "");
      if (!more || !next || !sameType(next.type, type)) break;
      value += scale(more[1] ?? "0", next.factor);
      end += more[0].length;
    }
  }
  for (;;) {
    const per = matchAt(/\/([A-Za-z]+)(?![\w.(])/y, source, end);
    const under = per && unitPer(per[1] ?? "");
    if (!per || !under) break;
    value /= under.factor;
    type = divide(type, under.type);
    end += per[0].length;
  }
  return { kind: "literal", type, value, span: { source, start, end } };
}

/** Percentages by division: 7 / 100 is the nearest double to 7%, 7 * 0.01 is not. */
function scale(number: string, factor: number): number {
  return factor < 1 ? Number(number) / Math.round(1 / factor) : Number(number) * factor;
}

function divide(left: ValueType, right: ValueType): ValueType {
  if (left.kind !== "quantity" || right.kind !== "quantity") return left;
  return quantity({
    bytes: left.dimension.bytes - right.dimension.bytes,
    time: left.dimension.time - right.dimension.time,
    money: left.dimension.money - right.dimension.money,
  });
}

function unitHint(name: string): string {
  if (/^([kKGTP]|[kmgtp]b)$/.test(name)) {
    const [letter = ""] = name.toUpperCase();
    return `write ${letter}iB (1024) or ${letter === "K" ? "k" : letter}B (1000)`;
  }
  if (/^mo(n|nth|nths)?$/i.test(name)) return "a month has no fixed length: write 30d";
  if (/^(sec|min|hr)s?$/i.test(name)) return "units have one letter: 30s, 5m, 12h, 30d";
  const nearest = nearestMatch(name, unitNames);
  const known = "units are ms s m h d w y, kB MB GB TB PB, KiB MiB GiB TiB PiB, %, USD, k and M";
  return nearest === undefined ? known : `did you mean "${nearest}"? ${known}`;
}

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source) ?? undefined;
}

function spanOf(source: string, start: number, text: string): Span {
  return { source, start, end: start + text.length };
}
