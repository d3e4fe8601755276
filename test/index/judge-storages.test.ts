import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type CopyFact,
  judgeReachable,
  judgeRemoval,
  type RemovalCase,
} from "#index/runs/judge-removal.ts";
import type { SameBackends } from "#index/same-storages.ts";
import { atLeast, type Confidence, confidences } from "#model/copy.ts";
import type { CopyRequirement } from "#model/plan.ts";

const regions: CopyRequirement = {
  rule: "p/regions",
  backends: "15",
  copies: 2,
  confidence: "verified",
  spread: { per: "region", values: 2, groups: ["11", "4"] },
};

function copiesOn(...backends: readonly number[]): readonly CopyFact[] {
  return backends.map((backendId) => ({
    backendId,
    confidence: "verified",
    verifiedAt: undefined,
  }));
}

function removal(more: Partial<RemovalCase> & Pick<RemovalCase, "victim">): RemovalCase {
  return {
    authority: "surplus",
    requirements: [regions],
    copies: copiesOn(0, 1, 2, 3),
    held: false,
    tombstoned: false,
    livePermits: [],
    plannedVictims: new Set(),
    minimumCopies: 1,
    ...more,
  };
}

/** Of backends that each store on some storages those that share one. */
function sameOf(storages: readonly (readonly number[])[]): SameBackends {
  const same = storages.map((own, id) => {
    const others = storages.flatMap((theirs, other) =>
      other !== id && theirs.some((one) => own.includes(one)) ? [other] : [],
    );
    return [id, new Set(others)] as const;
  });
  return new Map(same.filter(([, others]) => others.size > 0));
}

// 1 (eu) and 2 (us) lead to one storage.
const sameStorage = sameOf([[0], [1], [1], [3]]);

test("a storage with a name in another region stays, whether or not that name answers", () => {
  const refused = {
    permitted: false,
    reason: "ensure",
    message: "p/regions needs copies in 2 values of region, they would remain in 1 for certain",
  };
  for (const victim of [1, 2]) {
    const judged = removal({ victim, sameStorage });
    expect(judgeRemoval(judged)).toEqual(refused);
    expect(judgeReachable(judged, new Set([3 - victim]))).toEqual(refused);
  }
  // As long as another storage of that region has a copy it may go under either name.
  const backends = "31";
  const spread = { per: "region", values: 2, groups: ["11", "20"] };
  const requirements = [{ ...regions, backends, spread }];
  const copies = copiesOn(0, 1, 2, 3, 4);
  for (const victim of [1, 2]) {
    const judgement = judgeRemoval(removal({ victim, sameStorage, copies, requirements }));
    const reserved = judgement.permitted ? [...judgement.reserved.keys()] : [];
    expect(new Set(reserved)).toEqual(new Set([0, 4]));
  }
});

test("a copy out of reach is still promised: the removal rests on it, and so waits for it", () => {
  const copies = copiesOn(0, 1, 2, 3);
  const judgement = judgeReachable(removal({ victim: 3, copies }), new Set([2]));
  expect(judgement.permitted && judgement.reserved.has(2)).toBe(true);
});

test("one storage serves two rules, each by another of its names", () => {
  const one = { rule: "p/one", backends: "2", copies: 1, confidence: "verified" } as const;
  const other = { ...one, rule: "p/other", backends: "4" };
  const requirements = [one, other];
  const judged = removal({ victim: 0, sameStorage, requirements, copies: copiesOn(0, 1, 2) });
  expect(judgeRemoval(judged)).toMatchObject({
    permitted: true,
    reserved: new Map([
      [1, "verified"],
      [2, "verified"],
    ]),
  });
  // It is still one copy: a second one has to be elsewhere.
  expect(judgeRemoval({ ...judged, minimumCopies: 2 })).toMatchObject({
    permitted: false,
    reason: "below-minimum",
    message: "1 verified copy would remain for certain, 2 must",
  });
});

test("a backend that spans two storages counts for one region, as well as they allow", () => {
  // 2 (us) spans the storages of 0 and 1 (eu): with both of them it is not one more.
  const spanning = sameOf([[0], [1], [0, 1], [3]]);
  const judged = removal({ victim: 3, sameStorage: spanning });
  expect(judgeRemoval(judged)).toMatchObject({ permitted: false, reason: "ensure" });
  const single = { ...regions, copies: 1, spread: { ...regions.spread, values: 1 } };
  const requirements = [single as CopyRequirement];
  expect(judgeRemoval({ ...judged, requirements })).toMatchObject({ permitted: true });
});

const ids = [0, 1, 2, 3, 4, 5];
const maskOf = (chosen: readonly number[]) =>
  String(chosen.reduce((mask, id) => mask + 2 ** id, 0));

const rule = fc.record({
  on: fc.oneof(fc.constant(ids), fc.subarray(ids, { minLength: 2 })),
  copies: fc.constantFrom(1, 2, 2, 2, 3),
  confidence: fc.constantFrom("verified", "verified", "verified", ...confidences),
  isSpread: fc.constantFrom(true, true, true, false),
});
const level = fc.constantFrom(
  ...confidences,
  ...Array.from({ length: 8 }, () => "verified" as const),
);
const scenario = fc.record({
  levels: fc.tuple(...ids.map(() => fc.option(level, { freq: 6 }))),
  regionOf: fc.tuple(...ids.map(() => fc.constantFrom(0, 0, 0, 1, 1, 2))),
  storages: fc.tuple(
    ...ids.map((id) =>
      fc.oneof(
        { weight: 3, arbitrary: fc.constant([id]) },
        { weight: 2, arbitrary: fc.subarray([0, 1, 2], { minLength: 1, maxLength: 1 }) },
        { weight: 1, arbitrary: fc.subarray(ids, { minLength: 2, maxLength: 2 }) },
      ),
    ),
  ),
  rules: fc.tuple(rule, rule),
  removals: fc.array(
    fc.record({
      victim: fc.constantFrom(...ids),
      out: fc.subarray(ids),
      // Rules that a plan did not know, or that were written since.
      bound: fc.constantFrom([0, 1], [0, 1], [0], [1], []),
      planned: fc.subarray(ids),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  minimumCopies: fc.constantFrom(1, 1, 1, 2),
});

type Level = Confidence | null;

/** The values of every way to take copies of which no two are the same storage. */
function choices(
  backends: readonly number[],
  same: SameBackends,
  regionOf: readonly number[],
): readonly { readonly copies: number; readonly values: number }[] {
  return Array.from({ length: 2 ** backends.length }, (_, bits) => {
    const taken = backends.filter((_id, at) => ((bits >> at) & 1) === 1);
    const isApart = taken.every((id) => !taken.some((other) => same.get(id)?.has(other)));
    const values = new Set(taken.map((id) => regionOf[id])).size;
    return isApart ? { copies: taken.length, values } : { copies: 0, values: 0 };
  });
}

function mostOf(values: readonly number[]): number {
  return Math.max(0, ...values);
}

test("whatever permits are used, storages and values stay that were promised", () => {
  let permitted = 0;
  const property = fc.property(scenario, (world) => {
    const { levels, regionOf, storages, rules, removals, minimumCopies } = world;
    const same = sameOf(storages);
    const copies = levels.flatMap((confidence: Level, backendId) =>
      confidence === null ? [] : [{ backendId, confidence, verifiedAt: undefined }],
    );
    const requirements = rules.map(
      ({ on, copies: wanted, confidence, isSpread }, at): CopyRequirement => {
        const groups = [0, 1, 2].map((region) => on.filter((id) => regionOf[id] === region));
        const there = groups.filter((group) => group.length > 0);
        const values = Math.min(wanted, there.length);
        const spread = { per: "region", values, groups: there.map(maskOf) };
        const base = { rule: `p/${at}`, backends: maskOf(on), copies: wanted, confidence };
        return isSpread ? { ...base, spread } : base;
      },
    );
    const counted = (at: number, gone: ReadonlySet<number>): readonly number[] =>
      copies.flatMap(({ backendId, confidence }) => {
        const { on, confidence: level } = rules[at] ?? rules[0];
        const counts = on.includes(backendId) && atLeast(confidence, level);
        return counts && !gone.has(backendId) ? [backendId] : [];
      });
    const permits: { victim: number; reserved: ReadonlySet<number>; bound: readonly number[] }[] =
      [];
    for (const { victim, out, bound, planned } of removals) {
      const judged: RemovalCase = removal({
        victim,
        copies,
        requirements: bound.flatMap((at) => requirements[at] ?? []),
        livePermits: permits.map((permit) => ({ ...permit })),
        plannedVictims: new Set(planned),
        minimumCopies,
        sameStorage: same,
      });
      const judgement = judgeReachable(judged, new Set(out));
      // Who does not answer changes nothing of what is permitted, only what it rests on.
      expect(judgement.permitted).toBe(judgeRemoval(judged).permitted);
      if (!judgement.permitted) continue;
      permits.push({ victim, bound, reserved: new Set(judgement.reserved.keys()) });
    }
    permitted += permits.length;
    for (let used = 1; used < 2 ** permits.length; used += 1) {
      const victims = permits.flatMap(({ victim }, at) => (((used >> at) & 1) === 1 ? victim : []));
      const gone = new Set(victims.flatMap((id) => [id, ...(same.get(id) ?? [])]));
      const sure = copies.flatMap(({ backendId, confidence }) =>
        confidence === "verified" && !gone.has(backendId) ? [backendId] : [],
      );
      const floor = choices(sure, same, regionOf).map((choice) => choice.copies);
      expect(mostOf(floor)).toBeGreaterThanOrEqual(minimumCopies);
      for (const at of permits.flatMap(({ bound }) => bound)) {
        const { copies: wanted, spread } = requirements[at] ?? regions;
        const values = spread?.values ?? 0;
        const before = choices(counted(at, new Set()), same, regionOf);
        const there = mostOf(before.map((choice) => choice.values));
        const after = choices(counted(at, gone), same, regionOf);
        const enough = after.filter((choice) => choice.copies >= wanted);
        expect(enough).not.toEqual([]);
        const kept = mostOf(enough.map((choice) => choice.values));
        expect(kept).toBeGreaterThanOrEqual(Math.min(values, there));
      }
    }
  });
  fc.assert(property, { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 1_500) });
  expect(permitted).toBeGreaterThan(0);
});
