import { type MetricDefinition, metricDefinitions } from "#model/metric.ts";

const counts: Readonly<Record<MetricDefinition["lasts"], string>> = {
  now: "",
  index: "since the index was made",
  process: "since the process of `node` started",
};

/** The table of docs/metrics.md: a row for each metric. */
export function metricsTable(): string {
  const rows = Object.entries<MetricDefinition>(metricDefinitions).map(([name, definition]) => {
    const { type, lasts, help } = definition;
    const labels = [...definition.labels, ...(lasts === "process" ? ["node"] : [])];
    const shown = labels.length === 0 ? name : `${name}{${labels.join(",")}}`;
    return `| \`${shown}\` | ${type} | ${help} | ${counts[lasts]} |\n`;
  });
  return `| metric | type | meaning | counts |\n|---|---|---|---|\n${rows.join("")}`;
}
