import { createHash } from "node:crypto";
import type { IdGenerator } from "@opentelemetry/sdk-trace";

/** Names of a trace and its first span, in hexadecimal digits. */
export interface TraceNames {
  readonly traceId: string;
  readonly spanId: string;
}

/**
 * The trace of a run follows from the run's name: every process finds it, and so does whoever
 * takes a run up again after a crash or the loss of the queue.
 */
export function runTrace(runId: string): TraceNames {
  const digest = createHash("sha256").update(`run ${runId}`).digest("hex");
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) };
}

/** Random names, but those it is told for one span. */
export class TraceNaming implements IdGenerator {
  readonly #random: IdGenerator;
  #told: TraceNames | undefined;

  constructor(random: IdGenerator) {
    this.#random = random;
  }

  /** Starts a span, at once, under these names. */
  as<Span>(names: TraceNames, start: () => Span): Span {
    this.#told = names;
    try {
      return start();
    } finally {
      this.#told = undefined;
    }
  }

  generateTraceId(): string {
    return this.#told?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#told?.spanId ?? this.#random.generateSpanId();
  }
}
