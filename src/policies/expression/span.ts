/** A piece of one expression's text: half-open offsets into `source`. */
export interface Span {
  readonly source: string;
  readonly start: number;
  readonly end: number;
}

/** The text a span covers. */
export function textOf(span: Span): string {
  return span.source.slice(span.start, span.end);
}

/** The span from the start of one to the end of the other. */
export function spanning(first: Span, last: Span): Span {
  return { source: first.source, start: first.start, end: last.end };
}
