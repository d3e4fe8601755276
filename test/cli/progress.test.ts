import { describe, expect, it } from "vitest";
import type { Sink } from "#cli/command-io.ts";
import { ProgressView } from "#cli/output/progress-view.ts";
import type { Progress, ProgressMode } from "#cli/output/progress-view.ts";

/** Feeds `done` at given seconds and returns what was shown. */
function show(
  mode: ProgressMode,
  steps: readonly (readonly [second: number, done: number])[],
  isTTY = false,
  bytesEach = 2 ** 20,
): string {
  let ms = 0;
  let shown = "";
  const sink: Sink = {
    isTTY,
    columns: 120,
    write: (data) => {
      shown += Buffer.from(data).toString();
    },
    drain: () => Promise.resolve(),
  };
  const clock = { now: () => new Date(ms), monotonicMs: () => ms, sleep: () => Promise.resolve() };
  const view = new ProgressView(mode, sink, clock);
  for (const [second, done] of steps) {
    ms = second * 1_000;
    view.update(progressAt(done, bytesEach));
  }
  view.end();
  return shown;
}

function progressAt(done: number, bytesEach: number): Progress {
  const bytes = done * bytesEach;
  return {
    what: "run r1",
    noun: "objects",
    done,
    total: 1_000,
    bytesDone: bytes,
    bytesTotal: 1_000 * bytesEach,
  };
}

describe("progress", () => {
  it("promises no time before there is a rate", () => {
    const lines = show("plain", [
      [0, 0],
      [3, 0],
      [6, 100],
    ]).split("\n");
    expect(lines[0]).toBe("run r1: 0 of 1,000 objects, 0 B of 1000 MiB");
    expect(lines[1]).toBe(
      "run r1: 100 of 1,000 objects, 100 MiB of 1000 MiB, 16.7 MiB/s, 54s left",
    );
  });

  it("tells how many small objects pass, as their bytes tell little", () => {
    const steps = [0, 3, 6].map((second) => [second, second * 100] as const);
    expect(show("plain", steps, false, 4_096)).toContain(
      "run r1: 300 of 1,000 objects, 1.17 MiB of 3.91 MiB, 100 objects/s, 7s left",
    );
  });

  it("does not repeat a plain line that says nothing new, but gives a sign of life each minute", () => {
    const steps = Array.from({ length: 131 }, (_, second) => [second, 0] as const);
    const line = "run r1: 0 of 1,000 objects, 0 B of 1000 MiB";
    // At 0 s, 60 s and 120 s, and at the end.
    expect(show("plain", steps).trimEnd().split("\n")).toEqual([line, line, line, line]);
  });

  it("writes a plain line at most every two seconds, and the last state always", () => {
    const steps = Array.from({ length: 101 }, (_, tenth) => [tenth / 10, tenth * 10] as const);
    const lines = show("plain", steps).trimEnd().split("\n");
    expect(lines).toHaveLength(7);
    expect(lines.at(-1)).toContain("1,000 of 1,000 objects");
  });

  it("follows the recent rate, not the average since the start", () => {
    const steps = Array.from(
      { length: 40 },
      (_, second) => [second, second < 20 ? 0 : (second - 19) * 10] as const,
    );
    const lines = show("plain", steps).trimEnd().split("\n");
    expect(lines.at(-2)).toContain("10.0 MiB/s");
  });

  it("draws one bar over itself on a terminal", () => {
    const shown = show(
      "auto",
      [
        [0, 0],
        [1, 500],
        [2, 1_000],
      ],
      true,
    );
    expect(shown).toContain("████████████░░░░░░░░░░░░  50%  run r1: 500 of 1,000 objects");
    expect(shown.split("\n")).toHaveLength(2);
    expect(shown.endsWith("\n")).toBe(true);
  });

  it("writes JSON lines on request: status while it goes on, a summary at the end", () => {
    const lines = show("json", [
      [0, 0],
      [4, 400],
    ])
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(lines.map(({ type }) => type)).toEqual(["status", "status", "summary"]);
    expect(lines[1]).toMatchObject({
      schemaVersion: 1,
      done: 400,
      total: 1_000,
      perSecond: 100,
      etaMs: 6_000,
    });
    expect(lines[0]).not.toHaveProperty("etaMs");
  });

  it("stays silent when asked to", () => {
    expect(
      show("none", [
        [0, 0],
        [5, 10],
      ]),
    ).toBe("");
  });
});
