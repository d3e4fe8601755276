import { type Attributes, type Counter, type Histogram, ValueType } from "@opentelemetry/api";
import { emptyResource } from "@opentelemetry/resources";
import { DataPointType, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import {
  type CounterName,
  type HistogramName,
  type LabelsOf,
  type Measurements,
  metricDefinitions,
  type MetricSeries,
} from "#model/metric.ts";

type Collected = Awaited<ReturnType<MetricReader["collect"]>>["resourceMetrics"];
type MetricData = Collected["scopeMetrics"][number]["metrics"][number];

/** Counts what happens in this process; `measured` tells all of it since the process began. */
export class Meter implements Measurements {
  readonly #reader = new OnDemandReader();
  readonly #counters: Record<CounterName, Counter>;
  readonly #histograms: Record<HistogramName, Histogram>;

  constructor() {
    const provider = new MeterProvider({ resource: emptyResource(), readers: [this.#reader] });
    const meter = provider.getMeter("thermocline");
    const counter = (name: CounterName): Counter =>
      meter.createCounter(name, { description: metricDefinitions[name].help });
    const histogram = (name: HistogramName): Histogram => {
      const { help, buckets } = metricDefinitions[name];
      return meter.createHistogram(name, {
        description: help,
        valueType: ValueType.DOUBLE,
        advice: { explicitBucketBoundaries: [...buckets] },
      });
    };
    this.#counters = {
      thermocline_transferred_bytes_total: counter("thermocline_transferred_bytes_total"),
      thermocline_action_retries_total: counter("thermocline_action_retries_total"),
      thermocline_driver_requests_total: counter("thermocline_driver_requests_total"),
    };
    this.#histograms = {
      thermocline_action_duration_seconds: histogram("thermocline_action_duration_seconds"),
    };
  }

  add<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, value = 1): void {
    this.#counters[name].add(value, labels);
  }

  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    this.#histograms[name].record(value, labels);
  }

  /** Everything counted so far, one series per combination of labels. */
  async measured(): Promise<readonly MetricSeries[]> {
    const { resourceMetrics } = await this.#reader.collect();
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics.flatMap(seriesOf));
  }
}

class OnDemandReader extends MetricReader {
  protected onShutdown(): Promise<void> {
    return Promise.resolve();
  }

  protected onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

function seriesOf(data: MetricData): readonly MetricSeries[] {
  const name = data.descriptor.name as CounterName | HistogramName;
  if (data.dataPointType === DataPointType.SUM) {
    return data.dataPoints.map(({ attributes, value }) => {
      return { name, labels: labelsOf(attributes), value };
    });
  }
  if (data.dataPointType !== DataPointType.HISTOGRAM) return [];
  return data.dataPoints.map(({ attributes, value }) => {
    const { counts } = value.buckets;
    return { name, labels: labelsOf(attributes), value: { counts, sum: value.sum ?? 0 } };
  });
}

function labelsOf(attributes: Attributes): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, String(value)]));
}
