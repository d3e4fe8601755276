import { isSpanContextValid, trace } from "@opentelemetry/api";

/** What a line of the log says of the span in which it was written; nothing outside of one. */
export function activeTrace(): { readonly trace_id?: string; readonly span_id?: string } {
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined || !isSpanContextValid(span)) return {};
  return { trace_id: span.traceId, span_id: span.spanId };
}
