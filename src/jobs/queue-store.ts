import type { FlowProducer, Processor, Queue, QueueOptions, Worker, WorkerOptions } from "bullmq";
import type { LeaseStore } from "#jobs/lease/lease-store.ts";
import type { EngineError } from "#model/engine-error.ts";
import type { Tracing } from "#model/tracing.ts";

/**
 * Where queues live, whichever kind of server that is. Closing it closes every queue, worker
 * and producer made through it.
 */
export interface QueueStore {
  readonly kind: "redis" | "postgresql";
  /** Its URL without secrets, for people. */
  readonly address: string;
  /** The queue of that name; the same object each time. */
  queue(name: string): Queue;
  worker<Data, Result>(
    name: string,
    processor: Processor<Data, Result>,
    options: LaneWorkerOptions,
  ): Worker<Data, Result>;
  flows(): FlowProducer;
  /** Spans of what is done with its jobs. */
  readonly tracing: Tracing;
  /**
   * Which of these active jobs of a queue no worker holds any more: their locks ran out, as those
   * of a process that was killed, or that does not reach this store.
   */
  lost(queue: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** The lease of the one active controller; opened at the first call. */
  lease(): LeaseStore;
  /**
   * The time of its server, in milliseconds since 1970, asked now; UNAVAILABLE where it does not
   * say.
   */
  time(): Promise<number>;
  /** Whether its server answers now, found out within two seconds. */
  answers(): Promise<boolean>;
  /** Ends within seconds, whether its server answers or not. */
  close(): Promise<void>;
}

export type LaneWorkerOptions = Omit<WorkerOptions, "connection" | "prefix">;

/** What watches the queues: BullMQ's own spans and metrics, and spans of what jobs do. */
export interface QueueTelemetry {
  readonly queue: NonNullable<QueueOptions["telemetry"]>;
  readonly tracing: Tracing;
}

export type QueueStoreOptions = StoreLocation & {
  readonly telemetry?: QueueTelemetry | undefined;
  /** Keeps installations on one server apart: key prefix, or schema name. */
  readonly namespace?: string;
  /** Hears of lost connections and the like; the queues recover by themselves. */
  readonly onError?: (error: EngineError) => void;
  /** Ends the wait for an embedded server that is shutting down or recovers; CANCELLED then. */
  readonly signal?: AbortSignal | undefined;
};

type StoreLocation =
  | { readonly url: string }
  | { readonly embedded: { readonly directory: string } };

export const defaultNamespace = "thermocline";

/**
 * The event stream is for watchers; it also carries the results of steps, so it is kept short.
 * Progress is read from the index, not from here.
 */
export const queueOptions: Omit<QueueOptions, "connection"> = {
  streams: { events: { maxLen: 10 } },
};

/** The option of queues, workers and producers; none when nobody watches. */
export function telemetryOf(
  telemetry: QueueTelemetry | undefined,
): Partial<Pick<QueueOptions, "telemetry">> {
  return telemetry === undefined ? {} : { telemetry: telemetry.queue };
}

/** The URL as people may see it. */
export function hidePassword(url: string): string {
  if (!URL.canParse(url)) return url.replace(/:\/\/[^@/]*@/, "://***@");
  const parsed = new URL(url);
  if (parsed.password !== "") parsed.password = "***";
  parsed.search = "";
  return parsed.href;
}
