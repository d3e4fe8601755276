import { expect, test } from "vitest";
import { formatMetrics } from "#api/metrics.ts";
import { sampleEngine } from "./sample-engine.ts";

async function metrics(change: (status: Record<string, unknown>) => void = () => {}) {
  const api = sampleEngine();
  const status = await api.status();
  change(status as unknown as Record<string, unknown>);
  return formatMetrics(status, await api.runs());
}

test("metrics tell objects, copies, bytes per backend, runs by state and actions by outcome", async () => {
  const text = await metrics();
  expect(text.split("\n")).toEqual(
    expect.arrayContaining([
      'thermocline_build_info{version="0.1.0"} 1',
      "thermocline_index_objects 10",
      "thermocline_index_copies 12",
      'thermocline_objects{tier="hot",backend="hot"} 12',
      'thermocline_stored_bytes{tier="hot",backend="hot"} 144',
      "thermocline_underreplicated_objects 1",
      'thermocline_runs{state="partial"} 1',
      'thermocline_runs{state="running"} 0',
      'thermocline_actions_total{outcome="done"} 7',
      'thermocline_actions_total{outcome="failed"} 2',
      'thermocline_node_up{node="node-1"} 1',
    ]),
  );
});

test("every metric has help and type, and every line is of the text format", async () => {
  const text = await metrics((status) => {
    status["backends"] = [{ name: 'quo"te\\back\nline', tier: "hot", copies: 1, bytes: 2 }];
  });
  expect(text.endsWith("\n")).toBe(true);
  const lines = text.trimEnd().split("\n");
  const described = lines.map((line) => /^# TYPE (\w+) (?:gauge|counter)$/.exec(line)?.[1]);
  const samples = lines.filter((line) => !line.startsWith("# "));
  const label = String.raw`\w+="(?:[^"\\]|\\.)*"`;
  const sample = new RegExp(String.raw`^(\w+)(?:\{${label}(?:,${label})*\})? -?[\d.e+]+$`);
  const undescribed = samples.filter((line) => !described.includes(sample.exec(line)?.[1] ?? "?"));
  expect(undescribed).toEqual([]);
  expect(lines).toHaveLength(samples.length + 2 * described.filter(Boolean).length);
  expect(text).toContain(String.raw`backend="quo\"te\\back\nline"`);
});
