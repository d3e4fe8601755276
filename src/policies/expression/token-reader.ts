import { EngineError } from "#model/engine-error.ts";
import type { DiagnosticCode } from "#policies/diagnostic-codes.ts";
import type { ReportProblem } from "#policies/expression/expression-problem.ts";
import { foreignWordHint } from "#policies/foreign-words.ts";
import { type Span, spanning } from "#policies/expression/span.ts";
import type { Token } from "#policies/expression/token.ts";

/** Walks over tokens. `fail` reports at the current token and leaves the parser by a throw. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  readonly #report: ReportProblem;
  #position = 0;
  failed = false;

  constructor(tokens: readonly Token[], report: ReportProblem) {
    this.#tokens = tokens;
    this.#report = report;
  }

  peek(ahead = 0): Token {
    const last = this.#tokens.length - 1;
    return this.#tokens[Math.min(this.#position + ahead, last)] as Token;
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== "end") this.#position += 1;
    return token;
  }

  peekWord(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === "word" && token.text === text;
  }

  peekSymbol(texts: readonly string[]): string | undefined {
    const token = this.peek();
    return token.kind === "symbol" && texts.includes(token.text) ? token.text : undefined;
  }

  takeWord(text: string): boolean {
    const found = this.peekWord(text);
    if (found) this.next();
    return found;
  }

  takeSymbol(text: string): boolean {
    const found = this.peekSymbol([text]) !== undefined;
    if (found) this.next();
    return found;
  }

  expectSymbol(text: string): Token {
    if (this.peekSymbol([text]) === undefined) {
      const opening = text === ")" ? "(" : "[";
      // In a list or map of one line YAML takes a comma for the end of the text.
      const isCut = this.peek().kind === "end";
      const cut = isCut ? "; in a list, an expression with commas needs quotes" : "";
      this.unexpected(this.peek(), `"${text}"`, `close what "${opening}" opens${cut}`);
    }
    return this.next();
  }

  expectWord(text: string, hint: string): void {
    if (!this.takeWord(text)) this.unexpected(this.peek(), `"${text}"`, hint);
  }

  expectName(what: string): { readonly name: string; readonly span: Span } {
    const token = this.next();
    return token.kind === "word"
      ? { name: token.text, span: token.span }
      : this.unexpected(token, what);
  }

  expectEnd(): void {
    const token = this.peek();
    if (token.kind === "end") return;
    const hint = token.kind === "word" ? foreignWordHint(token.text, "continuation") : undefined;
    this.unexpected(token, "an operator or the end", hint);
  }

  /** Reads `.key` from the text itself: keys may hold dashes, which elsewhere mean minus. */
  takeKey(): { readonly key: string; readonly span: Span } {
    const dot = this.next();
    const { source, end: start } = dot.span;
    const key = /^[A-Za-z0-9_][A-Za-z0-9_./-]*/.exec(source.slice(start))?.[0] ?? "";
    if (key === "") this.unexpected(this.peek(), "a key: labels.rack");
    const end = start + key.length;
    while (this.peek().kind !== "end" && this.peek().span.start < end) this.next();
    return { key, span: spanning(dot.span, { source, start, end }) };
  }

  unexpected(token: Token, expected: string, hint?: string): never {
    const { source, start, end } = token.span;
    const found = token.kind === "end" ? "the expression ends here" : quoted(source, start, end);
    const before = /(?<!\S)\S+$/.exec(source.slice(0, start).trimEnd())?.[0];
    const standard = before === undefined ? "write a condition" : `look after ${shown(before)}`;
    const meant = hint ?? signHint(source.slice(start, start + 1), before);
    return this.fail("E0150", `expected ${expected}, but ${found}`, meant ?? standard, token.span);
  }

  fail(code: DiagnosticCode, message: string, hint?: string, span?: Span): never {
    this.failed = true;
    const place = span ?? this.peek().span;
    this.#report({ code, span: place, message, ...(hint === undefined ? {} : { hint }) });
    throw new EngineError("INVALID_DOCUMENT", message);
  }
}

/** What was meant by a sign that other languages have in such a place. */
function signHint(sign: string, before: string | undefined): string | undefined {
  if (sign === "/" && before === "matches") return 'a pattern stands in quotes: name matches "^a"';
  if (sign === "[" && before === "has") return 'has asks for one: tags has "a" or tags has "b"';
  return sign === "," ? 'a list stands in brackets: owner in ["ana", "ben"]' : undefined;
}

function shown(text: string): string {
  return text.includes('"') ? text : `"${text}"`;
}

function quoted(source: string, start: number, end: number): string {
  return `found ${source.slice(start, end)}`;
}
