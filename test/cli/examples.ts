import type { Plan } from "#model/plan.ts";
import type { Run, RunProgress, RunState } from "#model/run.ts";

/** A plan with two groups, one of them blocked in part. */
export function examplePlan(overrides: Partial<Plan["header"]> = {}): Plan {
  return {
    cid: "bafyplan",
    evaluatedAt: "2026-06-01T00:00:00.000Z",
    rowsPath: "/data/plans/bafyplan.parquet",
    header: {
      schemaVersion: 1,
      engine: "0.1.0",
      policies: { first: "00" },
      indexVersion: 7,
      inventory: "11",
      rows: "bafyrows",
      totals: {
        actions: 1_500,
        objects: 1_400,
        bytesMoved: 3 * 2 ** 30,
        bytesFreed: 2 ** 30,
        groups: [
          {
            verb: "replicate",
            rule: "first/two-copies",
            source: "hot",
            target: "warm",
            victim: null,
            actions: 1_000,
            bytes: 2 ** 31,
          },
          {
            verb: "demote",
            rule: "first/cool-down",
            source: "warm",
            target: "cold",
            victim: "hot",
            actions: 500,
            bytes: 2 ** 30,
          },
        ],
      },
      guards: [
        { guard: "objects", passed: true, message: "1,400 of 100,000 objects" },
        { guard: "minimum-copies", passed: true, message: "every object keeps 1" },
      ],
      blocked: [{ rule: "first/cool-down", reason: "capacity", objects: 12, bytes: 4096 }],
      ...overrides,
    },
  };
}

/** The plan of an engine that has nothing to do. */
export function emptyPlan(): Plan {
  const totals = { actions: 0, objects: 0, bytesMoved: 0, bytesFreed: 0, groups: [] };
  return examplePlan({ totals, blocked: [] });
}

export function exampleRun(state: RunState, progress: Partial<RunProgress> = {}): Run {
  const ended = state === "running" || state === "paused" ? undefined : "2026-06-01T00:01:30.000Z";
  return {
    id: "r1",
    planCid: "bafyplan",
    state,
    priority: 0,
    origin: "apply",
    createdAt: "2026-06-01T00:00:00.000Z",
    endedAt: ended,
    progress: {
      actions: 1_000,
      done: 0,
      skipped: 0,
      failed: 0,
      cancelled: 0,
      remaining: 1_000,
      bytes: 1_000 * 2 ** 20,
      bytesDone: 0,
      causes: [],
      ...progress,
    },
  };
}
