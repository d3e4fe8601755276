import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** A span as it arrived, with plain attributes. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** `service.instance.id` of the process it came from. */
  readonly process: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A metric as it arrived: its unit and the sums of its points. */
export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly sums: readonly number[];
}

/** An OTLP receiver (HTTP, JSON) on a random port of the loopback interface. */
export async function startOtlpReceiver(): Promise<{
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  readonly metrics: readonly ReceivedMetric[];
  stop(): Promise<void>;
}> {
  const spans: ReceivedSpan[] = [];
  const metrics: ReceivedMetric[] = [];
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { resourceSpans = [], resourceMetrics = [] } = (await json(request)) as Export;
    spans.push(...resourceSpans.flatMap(spansOf));
    metrics.push(...resourceMetrics.flatMap(metricsOf));
    response.setHeader("content-type", "application/json").end("{}");
  };
  const server = createServer((request, response) => void receive(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    metrics,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Resource {
  readonly resource: { readonly attributes: readonly Attribute[] };
}

interface ResourceSpans extends Resource {
  readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
}

interface RawSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
}

interface ResourceMetrics {
  readonly scopeMetrics: readonly {
    readonly metrics: readonly {
      readonly name: string;
      readonly unit: string;
      readonly histogram?: { readonly dataPoints: readonly { readonly sum: number }[] };
    }[];
  }[];
}

/** The part of the protocol's JSON that is read here. */
interface Export {
  readonly resourceSpans?: readonly ResourceSpans[];
  readonly resourceMetrics?: readonly ResourceMetrics[];
}

function spansOf({ resource, scopeSpans }: ResourceSpans): readonly ReceivedSpan[] {
  const process = String(plain(resource.attributes)["service.instance.id"]);
  return scopeSpans.flatMap((scope) =>
    scope.spans.map(({ name, traceId, spanId, parentSpanId, attributes }) => {
      const parent = parentSpanId === "" ? undefined : parentSpanId;
      return {
        name,
        traceId,
        spanId,
        parentSpanId: parent,
        process,
        attributes: plain(attributes),
      };
    }),
  );
}

function metricsOf({ scopeMetrics }: ResourceMetrics): readonly ReceivedMetric[] {
  return scopeMetrics.flatMap((scope) =>
    scope.metrics.map(({ name, unit, histogram }) => {
      return { name, unit, sums: (histogram?.dataPoints ?? []).map(({ sum }) => sum) };
    }),
  );
}

function plain(attributes: readonly Attribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
