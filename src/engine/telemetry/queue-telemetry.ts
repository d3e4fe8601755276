import { metrics } from "@opentelemetry/api";
import { BullMQOtel } from "bullmq-otel";
import type { QueueTelemetry } from "#jobs/queue-store.ts";

const durationName = "bullmq.job.duration";
/** From a commit of a few rows to a batch of very large objects. */
const durationBuckets = [0.005, 0.025, 0.1, 0.5, 2, 10, 60, 300, 1_800, 7_200];

/** BullMQ's own spans and, where they are sent, its metrics; durations in seconds. */
export function queueTelemetry(version: string, enableMetrics: boolean): QueueTelemetry["queue"] {
  const options = { tracerName: "bullmq", meterName: "bullmq", version, enableMetrics };
  const telemetry = new BullMQOtel(options);
  if (telemetry.meter === undefined) return telemetry;
  const seconds = metrics.getMeter("bullmq", version).createHistogram(durationName, {
    description: "Job processing duration",
    unit: "s",
    advice: { explicitBucketBoundaries: durationBuckets },
  });
  const { meter } = telemetry;
  const createHistogram: typeof meter.createHistogram = (name, given) => {
    if (name !== durationName) return meter.createHistogram(name, given);
    // BullMQ records milliseconds, whatever the unit of the histogram it finds.
    return { record: (value, attributes) => seconds.record(value / 1_000, attributes) };
  };
  return {
    tracer: telemetry.tracer,
    contextManager: telemetry.contextManager,
    meter: {
      createCounter: (name, given) => meter.createCounter(name, given),
      createGauge: (name, given) => meter.createGauge(name, given),
      createHistogram,
    },
  };
}
