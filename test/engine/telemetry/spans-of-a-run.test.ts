import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startNodeWith, stopNode } from "../../../scripts/thermocline-process.ts";
import { Workspace } from "../../integration/workspace.ts";
import { type ReceivedSpan, startOtlpReceiver } from "../../services/otlp-receiver.ts";
import { redisMissing, startRedis } from "../../services/redis.ts";

const why = redisMissing();
const objects = 12;
const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: archive}
rules:
  - name: to-cold
    where: size > 0
    demote: {from: tier = hot, to: tier = cold}
`;

describe.skipIf(why !== undefined)(
  `spans of a run in two processes${why === undefined ? "" : ` (skipped: ${why})`}`,
  () => {
    let redis: Awaited<ReturnType<typeof startRedis>>;
    let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
    let workspace: Workspace;
    let runId: string;

    beforeAll(async () => {
      redis = await startRedis();
      receiver = await startOtlpReceiver();
      workspace = await Workspace.create({ policies: { archive: policy }, queueUrl: redis.url });
      const source = join(workspace.path, "source");
      await mkdir(source);
      for (let file = 0; file < objects; file += 1) {
        await writeFile(join(source, `${file}.txt`), `content ${file}`);
      }
      const start = (role: string) => {
        const names = { THERMOCLINE_NODE_NAME: `a-${role}` };
        const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...names };
        return startNodeWith(environment, workspace.path, workspace.log, role);
      };
      const [controller, worker] = [start("controller"), start("worker")];
      try {
        await workspace.controllerAnswers(controller);
        await workspace.ok("import", "dir", source, "--backend", "hot");
        await workspace.ok("apply", "-y", "--override", "objects");
        const { runs } = await workspace.json<{ runs: { id: string }[] }>("runs", "ls");
        runId = runs[0]?.id ?? "";
      } finally {
        // Ending sends what is left, so that everything has arrived.
        await stopNode(worker, 15_000);
        await stopNode(controller, 15_000);
      }
    });

    afterAll(async () => {
      await workspace?.dispose();
      await receiver?.stop();
      await redis?.stop();
    });

    test("all spans hang together in one trace that begins with apply", () => {
      const byId = new Map(receiver.spans.map((span) => [span.spanId, span]));
      const roots = receiver.spans.filter(({ parentSpanId }) => parentSpanId === undefined);
      expect(roots.map(({ name }) => name)).toEqual(["apply"]);
      expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(1);
      const lost = receiver.spans.filter(
        ({ parentSpanId }) => parentSpanId !== undefined && !byId.has(parentSpanId),
      );
      expect(lost.map(({ name }) => name)).toEqual([]);
    });

    test("the steps ran where they belong, and say what they did", () => {
      expect(steps()).toEqual([
        ["a-worker", "copy", "cold", objects],
        ["a-controller", "copies", undefined, undefined],
        ["a-worker", "remove", "hot", objects],
        ["a-controller", "removals", undefined, undefined],
      ]);
      const copy = stepSpan("copy");
      expect(copy?.attributes).toMatchObject({
        "thermocline.run": runId,
        "thermocline.batch": 0,
        "thermocline.policy": "archive",
        "thermocline.action": "demote",
        "thermocline.objects": objects,
        "thermocline.failed": 0,
      });
    });

    test("the end of the run says how it ended", () => {
      const ended = receiver.spans.filter(({ name }) => name === "run");
      expect(ended.map(({ attributes }) => attributes)).toMatchObject([
        { "thermocline.run": runId, "thermocline.state": "completed", "thermocline.done": objects },
      ]);
    });

    test("the queue's durations are seconds", () => {
      const durations = receiver.metrics.filter(({ name }) => name === "bullmq.job.duration");
      expect(durations.length).toBeGreaterThan(0);
      expect(new Set(durations.map(({ unit }) => unit))).toEqual(new Set(["s"]));
      // In milliseconds even the quickest step would be above this.
      expect(Math.min(...durations.flatMap(({ sums }) => sums))).toBeLessThan(1);
    });

    function stepSpan(step: string): ReceivedSpan | undefined {
      return receiver.spans.find(({ attributes }) => attributes["thermocline.step"] === step);
    }

    function steps() {
      return ["copy", "copies", "remove", "removals"].map((step) => {
        const span = stepSpan(step);
        const { "thermocline.backend": backend, "thermocline.done": done } = span?.attributes ?? {};
        return [span?.process, step, backend, done];
      });
    }
  },
);
