import { expect, it } from "vitest";
import { loadConfig } from "#config.ts";
import type { CommandIo, Sink } from "#cli/command-io.ts";
import { nodeLog } from "#cli/node-log.ts";
import { troubleLog } from "#cli/trouble-log.ts";
import { EngineError } from "#model/engine-error.ts";

async function logOf(isTTY: boolean, env: Readonly<Record<string, string>>): Promise<string> {
  let text = "";
  const sink: Sink = {
    isTTY,
    columns: 80,
    write: (line) => {
      text += line;
    },
    drain: () => Promise.resolve(),
  };
  const config = await loadConfig({ cwd: "/nowhere", env, hostname: "n1", drivers: new Map() });
  const clock = { now: () => new Date("2026-06-01T12:30:05Z") } as CommandIo["clock"];
  const log = nodeLog(config, { stderr: sink, clock } as CommandIo);
  log.info({ backend: "cold", options: { secret: "hunter2" } }, "opened");
  log.debug("details");
  return text;
}

it("writes JSON lines with ISO time, level as a word, and node", async () => {
  const line = await logOf(false, {});
  expect(JSON.parse(line)).toEqual({
    time: "2026-06-01T12:30:05.000Z",
    level: "info",
    node: "n1",
    backend: "cold",
    options: { secret: "[redacted]" },
    msg: "opened",
  });
});

it("writes plain lines on a terminal, and as much as the level says", async () => {
  const text = await logOf(true, { THERMOCLINE_LOG_LEVEL: "debug" });
  expect(text.split("\n")).toEqual([
    '12:30:05 info  opened backend=cold options={"secret":"[redacted]"}',
    "12:30:05 debug details",
    "",
  ]);
});

it("names the span in which something went wrong", async () => {
  let text = "";
  const stderr = {
    write: (line: string) => {
      text += line;
    },
  };
  const config = await loadConfig({
    cwd: "/nowhere",
    env: {},
    hostname: "n1",
    drivers: new Map(),
  });
  const clock = { now: () => new Date("2026-06-01T12:30:05Z") };
  const trouble = troubleLog(config, { stderr, clock } as CommandIo);
  trouble.nameTrace(() => ({ trace_id: "aa", span_id: "bb" }));
  trouble.report(new EngineError("UNAVAILABLE", "cold is away"));
  expect(JSON.parse(text)).toMatchObject({ msg: "cold is away", trace_id: "aa", span_id: "bb" });
});
