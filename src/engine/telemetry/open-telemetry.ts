import { context, diag, DiagLogLevel, metrics, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import type { Resource } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  SamplingDecision,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { queueTelemetry } from "#engine/telemetry/queue-telemetry.ts";
import { TraceNaming } from "#engine/telemetry/run-trace.ts";
import { runAttribute, runTracing } from "#engine/telemetry/run-tracing.ts";
import type { Telemetry, TelemetryOptions } from "#engine/telemetry/start-telemetry.ts";
import type { TelemetryTargets } from "#engine/telemetry/telemetry-targets.ts";
import { EngineError } from "#model/engine-error.ts";

/** A receiver that is away must not keep a node from ending. */
const closeTimeoutMs = 3_000;
const exportTimeoutMs = 5_000;
/** A receiver that stays away is told of so often. */
const complaintEveryMs = 60_000;

/** Sends spans and the metrics of the queue by OTLP over HTTP, until it is closed. */
export function openTelemetry(targets: TelemetryTargets, options: TelemetryOptions): Telemetry {
  complain(options.onError);
  const resource = resourceOf(options);
  const naming = new TraceNaming(new RandomIdGenerator());
  const tracing =
    targets.traces === undefined ? undefined : traces(targets.traces, resource, naming);
  const meters = targets.metrics === undefined ? undefined : measures(targets.metrics, resource);
  return {
    queue: queueTelemetry(options.version, meters !== undefined),
    tracing: runTracing(trace.getTracer("thermocline", options.version), naming),
    close: async () => {
      const ending = [tracing, meters].map(async (provider) => provider?.shutdown());
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, closeTimeoutMs);
      await Promise.race([Promise.allSettled(ending), promise]);
      clearTimeout(timer);
      for (const api of [trace, metrics, context, propagation, diag]) api.disable();
    },
  };
}

function traces(url: string, resource: Resource, naming: TraceNaming): TracerProvider {
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs });
  const provider = new TracerProvider({
    resource,
    idGenerator: naming,
    sampler: new ParentBasedSampler({ root: onlyRuns }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return provider;
}

/** What the queue does for nobody in particular, such as looking for jobs, is no trace. */
const onlyRuns: Sampler = {
  shouldSample: (_context, _traceId, _name, _kind, attributes) => {
    const isRun = Object.hasOwn(attributes, runAttribute);
    return {
      decision: isRun ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
    };
  },
  toString: () => "OnlyRuns",
};

function measures(url: string, resource: Resource): MeterProvider {
  const exporter = new OTLPMetricExporter({ url, timeoutMillis: exportTimeoutMs });
  const readers = [new PeriodicExportingMetricReader({ exporter })];
  const provider = new MeterProvider({ resource, readers });
  metrics.setGlobalMeterProvider(provider);
  return provider;
}

/** The standard variables win over what we say of ourselves. */
function resourceOf({ config, version, env }: TelemetryOptions): Resource {
  return resourceFromAttributes({
    "service.name": env["OTEL_SERVICE_NAME"] ?? "thermocline",
    "service.version": version,
    "service.instance.id": config.node.name,
    "host.arch": process.arch,
  }).merge(detectResources({ detectors: [envDetector] }));
}

function nothing(): void {
  // Only errors are told.
}

/** The exporters speak of their troubles here only. */
function complain(onError: (error: EngineError) => void): void {
  let lastAt = Number.NEGATIVE_INFINITY;
  const error = (...words: readonly unknown[]): void => {
    if (performance.now() - lastAt < complaintEveryMs) return;
    lastAt = performance.now();
    const message = `telemetry cannot be sent: ${words.map(String).join(" ").slice(0, 500)}`;
    const hint = "see that the OTLP receiver runs and takes OTLP over HTTP";
    onError(new EngineError("UNAVAILABLE", message, { hint }));
  };
  const logger = { error, warn: nothing, info: nothing, debug: nothing, verbose: nothing };
  diag.setLogger(logger, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true });
}
