import * as fc from "fast-check";
import { expect, test } from "vitest";
import { judgeRemoval, type LivePermit, type RemovalCase } from "#index/runs/judge-removal.ts";
import type { CopyRequirement } from "#model/plan.ts";

const regions: CopyRequirement = {
  rule: "p/regions",
  backends: "15",
  copies: 2,
  confidence: "verified",
  spread: { per: "region", values: 2, groups: ["3", "12"] },
};

function removal(
  backends: readonly number[],
  victim: number,
  more: Partial<RemovalCase> = {},
): RemovalCase {
  return {
    authority: "surplus",
    victim,
    requirements: [regions],
    copies: backends.map((backendId) => ({
      backendId,
      confidence: "verified",
      verifiedAt: undefined,
    })),
    held: false,
    tombstoned: false,
    livePermits: [],
    plannedVictims: new Set(),
    minimumCopies: 1,
    ...more,
  };
}

test("the only copy of a region may not go, and the refusal says what it would break", () => {
  expect(judgeRemoval(removal([0, 1, 2], 2))).toEqual({
    permitted: false,
    reason: "ensure",
    message: "p/regions needs copies in 2 values of region, they would remain in 1 for certain",
  });
  const judgement = judgeRemoval(removal([0, 1, 2], 0));
  expect(judgement.permitted && new Set(judgement.reserved.keys())).toEqual(new Set([1, 2]));
});

test("a permit rests on a copy of each region, so that no other one takes the last of one", () => {
  const first = judgeRemoval(removal([0, 1, 2, 3], 2));
  const reserved = new Set(first.permitted ? first.reserved.keys() : []);
  expect(reserved).toContain(3);
  const livePermits = [{ victim: 2, reserved }];
  expect(judgeRemoval(removal([0, 1, 2, 3], 3, { livePermits }))).toMatchObject({
    permitted: false,
    reason: "reserved",
  });
});

test("where copies lie in one region already, one of them may go", () => {
  const both = { ...regions, backends: "31", spread: { ...regions.spread, groups: ["19", "12"] } };
  const requirements = [both as CopyRequirement];
  expect(judgeRemoval(removal([0, 1, 4], 4, { requirements }))).toMatchObject({ permitted: true });
});

test("an unproven copy counts for no region, and stays where it is the only one", () => {
  const proven = removal([0, 1, 2], 2).copies;
  const copies = proven.map((copy) =>
    copy.backendId === 2 ? { ...copy, confidence: "listed" as const } : copy,
  );
  expect(judgeRemoval(removal([], 2, { copies }))).toMatchObject({ permitted: false });
  expect(judgeRemoval(removal([], 0, { copies }))).toMatchObject({ permitted: false });
  const more = [...copies, ...removal([3], 3).copies];
  expect(judgeRemoval(removal([], 2, { copies: more }))).toMatchObject({ permitted: true });
});

const ids = [0, 1, 2, 3, 4, 5];

function maskOf(chosen: readonly number[]): string {
  return String(chosen.reduce((mask, id) => mask + 2 ** id, 0));
}

test("whichever permits are used, copies come no closer together than they may", () => {
  const scenario = fc.record({
    there: fc.subarray(ids, { minLength: 1 }),
    regionOf: fc.tuple(...ids.map(() => fc.integer({ min: 0, max: 2 }))),
    on: fc.subarray(ids, { minLength: 2 }),
    copies: fc.integer({ min: 1, max: 3 }),
    victims: fc.shuffledSubarray(ids, { minLength: 1 }),
  });
  fc.assert(
    fc.property(scenario, ({ there, regionOf, on, copies, victims }) => {
      const groups = [0, 1, 2]
        .map((region) => on.filter((id) => regionOf[id] === region))
        .filter((group) => group.length > 0);
      const values = Math.min(copies, groups.length);
      const requirement: CopyRequirement = {
        rule: "p/regions",
        backends: maskOf(on),
        copies,
        confidence: "verified",
        spread: { per: "region", values, groups: groups.map(maskOf) },
      };
      const livePermits: LivePermit[] = [];
      for (const victim of victims) {
        const more = { requirements: [requirement], livePermits };
        const judgement = judgeRemoval(removal(there, victim, more));
        if (judgement.permitted) {
          livePermits.push({ victim, reserved: new Set(judgement.reserved.keys()) });
        }
      }
      const valuesOf = (chosen: readonly number[]): number =>
        new Set(chosen.filter((id) => on.includes(id)).map((id) => regionOf[id])).size;
      // Any of the permits may go unused.
      for (let used = 1; used < 2 ** livePermits.length; used += 1) {
        const gone = livePermits.filter((_, at) => ((used >> at) & 1) === 1);
        const left = there.filter((id) => !gone.some(({ victim }) => victim === id));
        expect(valuesOf(left)).toBeGreaterThanOrEqual(Math.min(values, valuesOf(there)));
        expect(left.filter((id) => on.includes(id)).length).toBeGreaterThanOrEqual(copies);
      }
    }),
    { numRuns: 2_000 },
  );
});
