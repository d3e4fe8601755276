import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { type MetricDefinition, metricDefinitions } from "#model/metric.ts";
import { metricsTable } from "../../scripts/metrics-page.ts";

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

const alertFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().regex(/^\d+[smhd]$/),
          labels: z.record(z.string(), z.string()),
          annotations: z.strictObject({ summary: z.string(), action: z.string() }),
        }),
      ),
    }),
  ),
});

const { groups } = alertFile.parse(parse(await read("examples/prometheus/alerts.yaml")));
const rules = groups.flatMap((group) => group.rules);
const definitions: Readonly<Record<string, MetricDefinition>> = metricDefinitions;

test("the page of metrics has the table of all metrics", async () => {
  expect(await read("docs/metrics.md")).toContain(metricsTable());
});

test.each(rules)("alert $alert asks for what is exported, by labels it has", ({ expr }) => {
  const names = expr.match(/\b(?:thermocline|bullmq)_\w+/g) ?? [];
  expect(names).not.toEqual([]);
  expect(Object.keys(definitions)).toEqual(expect.arrayContaining(names));
  const labels = names.flatMap((name) => definitions[name]?.labels ?? []);
  const used = [
    ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(/,\s*/)),
    ...[...expr.matchAll(/[{,]\s*(\w+)\s*[=!]/g)].map(([, label = ""]) => label),
  ];
  expect([...labels, "node"]).toEqual(expect.arrayContaining(used));
});
