import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { metricDefinitions } from "#model/metric.ts";
import type { ToldEvent } from "#model/engine-event.ts";
import { type RunningEngine, runEngine } from "../running-engine.ts";
import { redisMissing, startRedis } from "../../services/redis.ts";
import { readPrometheusText, type Sample } from "./prometheus-text.ts";

const why = redisMissing();
const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: archive}
schedule: {cron: "0 4 1 1 *", timezone: UTC}
windows: {allow: ["Mon-Sun 00:00-24:00"]}
rules:
  - name: to-cold
    where: size > 0
    demote: {from: tier = hot, to: tier = cold}
`;

describe.skipIf(why !== undefined)(
  `metrics of a running engine${why ? ` (skipped: ${why})` : ""}`,
  () => {
    let redis: Awaited<ReturnType<typeof startRedis>>;
    let running: RunningEngine;
    let events: AsyncIterator<ToldEvent>;

    beforeAll(async () => {
      redis = await startRedis();
      running = await runEngine({ queueUrl: redis.url, policy });
      events = running.engine.events()[Symbol.asyncIterator]();
      await running.importFiles(7);
      await running.engine.plan({});
      await running.applyToEnd();
    });

    afterAll(async () => {
      await running[Symbol.asyncDispose]();
      await redis.stop();
    });

    test("every metric of the table is described with its type, and nothing else is", async () => {
      const { types } = readPrometheusText(await running.engine.metrics());
      const defined = Object.entries(metricDefinitions).map(([name, { type }]) => [name, type]);
      expect(Object.fromEntries(types)).toEqual(Object.fromEntries(defined));
    });

    test("no sample carries a label that the table does not name", async () => {
      const { samples } = readPrometheusText(await running.engine.metrics());
      const undeclared = samples.filter(({ name, labels }) => {
        const definition = definitionOf(name);
        const allowed = [...definition.labels, ...(definition.lasts === "process" ? ["node"] : [])];
        const extra = definition.type === "histogram" ? ["le"] : [];
        return Object.keys(labels).some((label) => ![...allowed, ...extra].includes(label));
      });
      expect(undeclared).toEqual([]);
    });

    test("actions are counted by policy, action, backend and outcome", async () => {
      const labels = { policy: "archive", action: "demote", backend: "cold", outcome: "done" };
      expect(await values("thermocline_actions_total")).toEqual([{ labels, value: 7 }]);
    });

    test("bytes and calls are counted per backend, times per action", async () => {
      const node = "test-node";
      const transferred = await values("thermocline_transferred_bytes_total");
      expect(transferred).toContainEqual({
        labels: { backend: "cold", direction: "write", node },
        value: 7 * "content 0".length,
      });
      const requests = await values("thermocline_driver_requests_total");
      expect(requests).toContainEqual({
        labels: { backend: "hot", op: "remove", outcome: "ok", node },
        value: 7,
      });
      const durations = await values("thermocline_action_duration_seconds_count");
      // Seven copies to cold, then seven removals from hot, of one demote each.
      expect(durations).toEqual(
        ["cold", "hot"].map((backend) => {
          return { labels: { action: "demote", backend, node }, value: 7 };
        }),
      );
    });

    test("the last plan, the queues, the runs and the backends are told", async () => {
      const plan = { policy: "archive", action: "demote" };
      expect(await values("thermocline_plan_actions")).toEqual([{ labels: plan, value: 7 }]);
      expect(await values("thermocline_runs")).toContainEqual({
        labels: { state: "completed" },
        value: 1,
      });
      expect(await values("bullmq_job_count")).toContainEqual({
        labels: { queue: "index", state: "waiting" },
        value: 0,
      });
      expect(await values("thermocline_index_lag_seconds")).toEqual([{ labels: {}, value: 0 }]);
      const up = await values("thermocline_backend_up");
      expect(up.map(({ labels, value }) => [labels["backend"], value])).toEqual([
        ["hot", 1],
        ["warm", 1],
        ["cold", 1],
      ]);
    });

    test("who watches the events heard of the objects and of the end of the run", async () => {
      const told: ToldEvent["event"][] = [];
      while (told.at(-1)?.type !== "run-ended") told.push((await events.next()).value.event);
      await events.return?.();
      const added = told.filter((event) => event.type === "object-added");
      expect(added.reduce((sum, { objects }) => sum + objects, 0)).toBe(7);
      expect(told.at(-1)).toMatchObject({ run: { state: "completed" } });
    });

    test("schedules, windows and bandwidth limits are told", async () => {
      const [next] = await values("thermocline_schedule_next_run_timestamp_seconds");
      expect(next?.labels).toEqual({ schedule: "archive" });
      expect(new Date((next?.value ?? 0) * 1_000).toISOString()).toMatch(/-01-01T04:00:00/);
      expect(await values("thermocline_schedule_missed_total")).toEqual([
        { labels: { schedule: "archive" }, value: 0 },
      ]);
      expect(await values("thermocline_window_open")).toEqual([
        { labels: { policy: "archive" }, value: 1 },
      ]);
      const metric = "thermocline_bandwidth_limit_bytes_per_second";
      expect(await values(metric)).toEqual([]);
      await running.engine.setLimits({ backend: "cold", bandwidth: "10M:1M" });
      const mebibyte = 1024 * 1024;
      expect(await values(metric)).toEqual([
        { labels: { backend: "cold", direction: "upload" }, value: 10 * mebibyte },
        { labels: { backend: "cold", direction: "download" }, value: mebibyte },
      ]);
      await running.engine.resetLimits("cold");
    });

    test("the state of each node is told", async () => {
      const node = "test-node";
      expect(await states()).toEqual([{ node, state: "working" }]);
      await running.engine.control({ verb: "pause", scope: "node", name: node, reason: "a test" });
      expect(await states()).toEqual([{ node, state: "paused" }]);
      await running.engine.control({ verb: "resume", scope: "node", name: node, reason: "a test" });
      expect(await states()).toEqual([{ node, state: "working" }]);
    });

    test("what a worker elsewhere measured is told under its name", async () => {
      const labels = { backend: "warm", direction: "read" } as const;
      await running.engine.heartbeat({
        ...(await running.engine.nodes())[0]!,
        name: "far",
        measured: [{ name: "thermocline_transferred_bytes_total", labels, value: 42 }],
      });
      expect(await values("thermocline_transferred_bytes_total")).toContainEqual({
        labels: { ...labels, node: "far" },
        value: 42,
      });
    });

    test("a node whose clock differs from the controller's is told", async () => {
      const [node] = await running.engine.nodes();
      await running.engine.heartbeat({ ...node!, name: "far", clockAheadMs: 720_000 });
      expect(await values("thermocline_node_clock_ahead_seconds")).toContainEqual({
        labels: { node: "far" },
        value: 720,
      });
    });

    async function states(): Promise<readonly Sample["labels"][]> {
      const told = await values("thermocline_node_state");
      expect(told).toHaveLength(3);
      return told.flatMap(({ labels, value }) => (value === 1 ? [labels] : []));
    }

    async function values(name: string): Promise<readonly Omit<Sample, "name">[]> {
      const { samples } = readPrometheusText(await running.engine.metrics());
      return samples
        .filter((sample) => sample.name === name)
        .map(({ labels, value }) => ({ labels, value }));
    }
  },
);

describe.skipIf(why !== undefined)("counters of actions", () => {
  test("survive a restart of the controller", async () => {
    const redis = await startRedis();
    const running = await runEngine({ queueUrl: redis.url, policy });
    await running.importFiles(3);
    await running.applyToEnd();
    await running.engine.close();
    const again = await running.reopen();
    const { samples } = readPrometheusText(await again.metrics());
    await again.close();
    await redis.stop();
    await rm(join(running.folder), { recursive: true, force: true });
    expect(samples.find(({ name }) => name === "thermocline_actions_total")?.value).toBe(3);
    expect(samples.find(({ name }) => name === "thermocline_driver_requests_total")).toEqual(
      expect.objectContaining({ labels: expect.objectContaining({ op: "status" }) as unknown }),
    );
  });
});

function definitionOf(sample: string): {
  readonly type: string;
  readonly lasts: string;
  readonly labels: readonly string[];
} {
  const names = Object.keys(metricDefinitions) as (keyof typeof metricDefinitions)[];
  const name = names.find((known) => known === sample || sample.startsWith(`${known}_`));
  if (name === undefined) throw new Error(`${sample} is not in the table`);
  return metricDefinitions[name];
}
