import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { loadConfig } from "#config.ts";
import { activeTrace } from "#engine/telemetry/active-trace.ts";
import { startTelemetry } from "#engine/telemetry/start-telemetry.ts";
import { telemetryTargets } from "#engine/telemetry/telemetry-targets.ts";
import type { EngineError } from "#model/engine-error.ts";
import { Workspace } from "../../integration/workspace.ts";
import { startOtlpReceiver } from "../../services/otlp-receiver.ts";

const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: archive}
rules:
  - name: to-cold
    where: size > 0
    ensure: {copies: 2, on: tier >= hot}
`;

describe("where telemetry goes", () => {
  test("nowhere, unless it is asked for", async () => {
    expect(telemetryTargets(undefined, {})).toEqual({ traces: undefined, metrics: undefined });
    expect(await start({})).toBeUndefined();
  });

  test("to the receiver of the configuration, or the one of the standard variables", () => {
    expect(telemetryTargets("http://a:4318/", {})).toEqual({
      traces: "http://a:4318/v1/traces",
      metrics: "http://a:4318/v1/metrics",
    });
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://b",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c/spans",
    };
    expect(telemetryTargets("http://a:4318", env)).toEqual({
      traces: "http://c/spans",
      metrics: "https://b/v1/metrics",
    });
  });

  test("the standard variables turn it off, whole or in part", () => {
    const off = telemetryTargets("http://a", { OTEL_SDK_DISABLED: "true" });
    expect(off).toEqual({ traces: undefined, metrics: undefined });
    const spansOnly = telemetryTargets("http://a", { OTEL_METRICS_EXPORTER: "none" });
    expect(spansOnly).toEqual({ traces: "http://a/v1/traces", metrics: undefined });
  });

  test("an address that is none is refused with what to write", () => {
    expect(() => telemetryTargets("a:4318", {})).toThrow(/no address of an OTLP receiver/);
  });
});

describe("a receiver that is away", () => {
  test("keeps nothing from ending", async () => {
    const errors: EngineError[] = [];
    // The discard port: nobody listens there.
    const telemetry = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" }, errors);
    const trace = await telemetry?.tracing.within("run-1", "enqueue", {}, currentTrace);
    expect(trace).toMatchObject({ trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) });
    await telemetry?.close();
    expect(activeTrace()).toEqual({});
    for (const { code } of errors) expect(code).toBe("UNAVAILABLE");
  });
});

describe("a command without a controller, on the embedded queue", () => {
  const open: { stop(): Promise<void> }[] = [];

  afterEach(async () => {
    for (const part of open.splice(0).toReversed()) await part.stop();
  });

  test("sends its spans before it ends", async () => {
    const receiver = await startOtlpReceiver();
    open.push(receiver);
    const workspace = await Workspace.create({ policies: { archive: policy } });
    open.push({ stop: () => workspace.dispose() });
    await appendFile(
      join(workspace.path, "thermocline.yaml"),
      `telemetry: {endpoint: "${receiver.url}"}\n`,
    );
    const source = join(workspace.path, "source");
    await mkdir(source);
    await writeFile(join(source, "a.txt"), "content");
    await workspace.ok("import", "dir", source, "--backend", "hot");
    await workspace.ok("apply", "-y", "--override", "objects");
    const names = receiver.spans.map(({ name }) => name);
    expect(names).toContain("apply");
    expect(names).toContain("run");
    expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(1);
    const steps = receiver.spans.flatMap(({ attributes }) => attributes["thermocline.step"] ?? []);
    expect(steps).toEqual(["copy", "copies"]);
  });
});

async function currentTrace() {
  return activeTrace();
}

async function start(env: Readonly<Record<string, string>>, errors: EngineError[] = []) {
  const config = await loadConfig({ cwd: "/", env: {}, hostname: "n1", drivers: new Map() });
  return startTelemetry({ config, env, version: "0.0.0", onError: (error) => errors.push(error) });
}
