import { ValueType } from "@opentelemetry/api";
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { emptyResource } from "@opentelemetry/resources";
import { AggregationTemporality, DataPointType } from "@opentelemetry/sdk-metrics";
import { type MetricDefinition, metricDefinitions } from "#model/metric.ts";
import type { HistogramValue, MetricName, MetricSeries } from "#model/metric.ts";

type MetricData = Parameters<
  PrometheusSerializer["serialize"]
>[0]["scopeMetrics"][number]["metrics"][number];

/** Series in the Prometheus text format (version 0.0.4), every metric with its help and type. */
export function renderMetrics(series: readonly MetricSeries[]): string {
  const byName = Map.groupBy(series, ({ name }) => name);
  const names = Object.keys(metricDefinitions) as MetricName[];
  const metrics = names.map((name) => metricData(name, byName.get(name) ?? []));
  const scopeMetrics = [{ scope: { name: "thermocline" }, metrics }];
  // Labels of the target and of the scope say nothing here that the metrics do not say.
  const serializer = new PrometheusSerializer("", false, undefined, true, true);
  return serializer.serialize({ resource: emptyResource(), scopeMetrics });
}

function metricData(name: MetricName, series: readonly MetricSeries[]): MetricData {
  const { type, help, buckets = [] }: MetricDefinition = metricDefinitions[name];
  const base = {
    descriptor: { name, description: help, unit: "", valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (type === "histogram") {
    const dataPoints = series.map(({ labels, value }) =>
      pointOf(labels, histogramOf(buckets, value as HistogramValue)),
    );
    return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
  const dataPoints = series.map(({ labels, value }) => pointOf(labels, value as number));
  return type === "counter"
    ? { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { ...base, dataPointType: DataPointType.GAUGE, dataPoints };
}

function histogramOf(boundaries: readonly number[], { counts, sum }: HistogramValue) {
  const count = counts.reduce((total, part) => total + part, 0);
  return { buckets: { boundaries: [...boundaries], counts: [...counts] }, sum, count };
}

/** The text carries no times: Prometheus notes when it reads. */
function pointOf<Value>(labels: Readonly<Record<string, string>>, value: Value) {
  const never: [number, number] = [0, 0];
  return { startTime: never, endTime: never, attributes: labels, value };
}
