import {
  type Context,
  context,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import { runTrace, type TraceNaming } from "#engine/telemetry/run-trace.ts";
import type { Run } from "#model/run.ts";
import type { SpanFacts, Tracing } from "#model/tracing.ts";

/** Marks the first span of a run for the sampler. */
export const runAttribute = "thermocline.run";

/** Spans of runs through OpenTelemetry. */
export function runTracing(tracer: Tracer, naming: TraceNaming): Tracing {
  return {
    runBegan: (run, from, to) => {
      const options = { root: true, startTime: from, attributes: runFacts(run) };
      const start = () => tracer.startSpan("apply", options, ROOT_CONTEXT);
      naming.as(runTrace(run.id), start).end(to);
    },
    runEnded: (run) => {
      const startTime = new Date(run.createdAt);
      const { done, skipped, failed, cancelled } = run.progress;
      const ends = named({ state: run.state, done, skipped, failed, cancelled });
      const options = { startTime, attributes: { ...runFacts(run), ...ends } };
      const endTime = run.endedAt === undefined ? new Date() : new Date(run.endedAt);
      tracer.startSpan("run", options, belowRun(run.id)).end(endTime);
    },
    within: async (runId, name, facts, act) => {
      const attributes = { [runAttribute]: runId, ...named(facts) };
      const parent = belowRun(runId);
      const span = tracer.startSpan(name, { attributes }, parent);
      try {
        return await context.with(trace.setSpan(parent, span), act);
      } catch (thrown) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: String(thrown) });
        throw thrown;
      } finally {
        span.end();
      }
    },
    note: (facts) => {
      const span = trace.getActiveSpan();
      if (span?.isRecording() === true) span.setAttributes(named(facts()));
    },
  };
}

function runFacts({ id, planCid, origin, progress }: Run): SpanFacts {
  const facts = { plan: planCid, origin, actions: progress.actions, bytes: progress.bytes };
  return { [runAttribute]: id, ...named(facts) };
}

/** As if the first span of the run were elsewhere, which it usually is. */
function belowRun(runId: string): Context {
  const traceFlags = TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { ...runTrace(runId), traceFlags, isRemote: true });
}

function named(facts: SpanFacts): SpanFacts {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [`thermocline.${name}`, value]),
  );
}
