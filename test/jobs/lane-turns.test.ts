import { array, assert, integer, nat, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { ageStepMs, LaneTurns } from "#jobs/lane-turns.ts";

const places = 12;

describe("the free places of a lane", () => {
  test("go to the highest priority first, in equal shares among equals", () => {
    const turns = new LaneTurns();
    const shares = turns.share(
      "cold",
      10,
      [
        { runId: "low", priority: 0, queued: 0, ready: 50 },
        { runId: "one", priority: 5, queued: 4, ready: 50 },
        { runId: "two", priority: 5, queued: 0, ready: 50 },
      ],
      0,
    );
    expect([...shares]).toEqual([
      ["two", 7],
      ["one", 3],
    ]);
  });

  test("that the first does not need go to the next", () => {
    const shares = new LaneTurns().share(
      "cold",
      10,
      [
        { runId: "low", priority: -1, queued: 0, ready: 50 },
        { runId: "high", priority: 3, queued: 0, ready: 4 },
      ],
      0,
    );
    expect([...shares]).toEqual([
      ["high", 4],
      ["low", 6],
    ]);
  });

  test("reach every run in time, whatever its priority and however many others come", () => {
    assert(
      property(
        array(integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 6 }),
        integer({ min: 1_000, max: 30_000 }),
        array(integer({ min: 1, max: places }), { minLength: 1, maxLength: 10 }),
        (priorities, roundMs, frees) => {
          const turns = new LaneTurns();
          const runs = ["last", ...priorities.map((_, at) => `run-${at}`)];
          const priorityOf = (runId: string) => priorities[runs.indexOf(runId) - 1] ?? 0;
          const served = new Map(runs.map((runId) => [runId, 0]));
          // It rises past everyone, and then at most each of the others goes before it once.
          const boundMs = (8 + 1) * ageStepMs + runs.length * (ageStepMs + roundMs) + roundMs;
          for (let round = 0; round * roundMs < 3 * boundMs; round += 1) {
            const now = round * roundMs;
            const free = frees[round % frees.length] ?? 1;
            const claims = runs.map((runId) => {
              return { runId, priority: priorityOf(runId), queued: 0, ready: 1_000 };
            });
            for (const runId of turns.share("cold", free, claims, now).keys()) {
              served.set(runId, now);
            }
            for (const at of served.values()) expect(now - at).toBeLessThanOrEqual(boundMs);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test("are not counted twice, and never given for batches that are not there", () => {
    assert(
      property(
        integer({ min: 0, max: 60 }),
        array(
          record({
            priority: integer({ min: -5, max: 5 }),
            queued: nat(50),
            ready: nat(50),
          }),
          { maxLength: 8 },
        ),
        (free, runs) => {
          const claims = runs.map((run, at) => ({ ...run, runId: `run-${at}` }));
          const shares = new LaneTurns().share("cold", free, claims, 0);
          const sum = [...shares.values()].reduce((total, count) => total + count, 0);
          expect(sum).toBe(
            Math.min(
              free,
              claims.reduce((total, { ready }) => total + ready, 0),
            ),
          );
          for (const { runId, ready } of claims) {
            expect(shares.get(runId) ?? 0).toBeLessThanOrEqual(ready);
          }
        },
      ),
    );
  });
});
