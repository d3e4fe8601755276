import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Backend } from "#model/backend.ts";
import type { CompiledRule, CompiledVerb } from "#policies/compiled-policy.ts";
import { compileBounds } from "#policies/removal-bound.ts";
import { trusted } from "#policies/sql-fragment.ts";
import { demoPair } from "./demo-pair.ts";
import { type FixtureIndex, type FixtureObject, openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { ensure, on, ruleOf, setOf } from "./rule-of.ts";

const byHeat = [{ key: trusted("o.heat_weight"), descending: false }];
const both = { 0: "verified", 1: "verified" } as const;

/** On both backends, the coldest first. */
function onBoth(sizes: readonly number[], more: Partial<FixtureObject> = {}) {
  return sizes.map((size, id): FixtureObject => ({ id, size, heat: id, copies: both, ...more }));
}

async function planned(
  index: FixtureIndex,
  objects: readonly FixtureObject[],
  verb: CompiledVerb,
  more: Partial<CompiledRule> = {},
) {
  await index.put(objects);
  const rule = ruleOf("relieve", verb, "true", { order: byHeat, ...more });
  const { actions, plan } = await planOf(index, setOf(demoPair, rule));
  // Of many objects only those are sorted that may be needed.
  const many = await planOf(index, setOf(demoPair, rule), { manyFrom: 0 });
  expect(many.plan).toEqual(plan);
  return { brief: briefly(actions), actions, blocked: plan.header.blocked };
}

function evictUntil(bytes: number): CompiledVerb {
  return { kind: "evict", from: on(0), free: [{ backend: 0, bytes }] };
}

function evictBeyond(bytes: number): CompiledVerb {
  return { kind: "evict", from: on(0), quota: { per: "owner", bytes } };
}

test("marks are how much has to go from which backend, and nothing below the high one", () => {
  const hot = { ...(demoPair[0] as Backend), capacityBytes: 1_000, usedBytes: 800 };
  const marks = (above: number | undefined, until: number) =>
    compileBounds(
      { until: { share: until }, ...(above === undefined ? {} : { above: { share: above } }) },
      [hot, { ...hot, id: 5, capacityBytes: undefined }],
    ).free;
  expect(marks(undefined, 0.7)).toEqual([{ backend: 0, bytes: 100 }]);
  expect(marks(0.75, 0.5)).toEqual([{ backend: 0, bytes: 300 }]);
  expect(marks(0.8, 0.5)).toEqual([]);
  expect(compileBounds({ until: { bytes: 799 } }, [hot]).free).toEqual([{ backend: 0, bytes: 1 }]);
});

test("as much is freed as is needed, in the order of the rule, and no object more", async () => {
  const index = await openFixtureIndex();
  const objects = onBoth([100, 200, 300]);
  const freed = async (bytes: number) => (await planned(index, objects, evictUntil(bytes))).brief;
  expect(await freed(0)).toEqual([]);
  expect(await freed(100)).toEqual(["evict 0 -0"]);
  expect(await freed(101)).toEqual(["evict 0 -0", "evict 1 -0"]);
  expect(await freed(9_000)).toHaveLength(3);
});

test("whatever the sizes and the need, one object fewer would not be enough", async () => {
  const index = await openFixtureIndex();
  const sizes = fc.array(fc.constantFrom(0, 1, 50, 100, 400), { minLength: 1, maxLength: 8 });
  const held = fc.array(fc.boolean(), { minLength: 8, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(sizes, held, fc.integer({ min: 1, max: 900 }), async (of, holds, need) => {
      const objects = onBoth(of).map((object, at) => ({ ...object, held: holds[at] === true }));
      const { actions } = await planned(index, objects, evictUntil(need));
      const free = objects.filter((object) => !object.held);
      const wanted = free.slice(0, actions.length).map(({ id }) => id);
      const sum = (some: typeof actions) => some.reduce((bytes, { size }) => bytes + size, 0);
      expect(actions.map(({ objectId }) => objectId)).toEqual(wanted);
      expect(sum(actions) >= need || actions.length === free.length).toBe(true);
      expect(sum(actions.slice(0, -1))).toBeLessThan(need);
    }),
    { numRuns: 15 },
  );
});

test("each backend has its own need, and what another rule frees there counts", async () => {
  const index = await openFixtureIndex();
  await index.put(onBoth([100, 100, 100, 100]));
  const first = ruleOf("first", { kind: "evict", from: on(0) }, "o.object_id = 3");
  const free = [
    { backend: 0, bytes: 150 },
    { backend: 1, bytes: 100 },
  ];
  const relieve = ruleOf("relieve", { kind: "evict", from: on(0, 1), free }, "true");
  const { actions } = await planOf(index, setOf(demoPair, first, relieve));
  // One of its own is enough on 0; its copy on 1 is then the last one, so the next object goes.
  expect(briefly(actions).toSorted()).toEqual(["evict 0 -0", "evict 1 -1", "evict 3 -0"]);
});

test("a rule that frees what is needed leaves the rest to rules after it", async () => {
  const index = await openFixtureIndex();
  await index.put(onBoth([100, 100]));
  const later = ruleOf("later", { kind: "evict", from: on(0) }, "o.object_id = 1");
  const { actions } = await planOf(index, setOf(demoPair, ruleOf("r", evictUntil(1)), later));
  expect(actions.map(({ objectId, rule }) => [objectId, rule])).toEqual([
    [0, "test/r"],
    [1, "test/later"],
  ]);
});

test("a demotion stops at the mark too, and a collection goes whole", async () => {
  const index = await openFixtureIndex();
  const demote: CompiledVerb = {
    kind: "demote",
    from: on(0),
    to: on(1),
    free: [{ backend: 0, bytes: 150 }],
  };
  const objects = onBoth([100, 100, 100, 100], { copies: { 0: "verified" } });
  expect((await planned(index, objects, demote)).brief).toHaveLength(2);
  const collected = objects.map((object) => ({ ...object, collection: "a" }));
  const whole = await planned(index, collected, demote, { group: "collection" });
  expect(whole.brief).toHaveLength(4);
});

test("a quota takes from each owner what is beyond it, and counts what the rule does not select", async () => {
  const index = await openFixtureIndex();
  const owners = ["ana", "ana", "ana", "ben", undefined];
  const objects = onBoth([100, 100, 100, 100, 500]).map((object, at) => {
    const owner = owners[at];
    return owner === undefined ? object : { ...object, owner };
  });
  expect((await planned(index, objects, evictBeyond(300))).brief).toEqual([]);
  const { brief: one, actions } = await planned(index, objects, evictBeyond(299));
  expect(one).toEqual(["evict 0 -0"]);
  expect(actions[0]?.reason).toBe(
    "its owner has more than its quota of 299 B here, and enough copies remain elsewhere",
  );
  const where = trusted("o.object_id >= 2");
  const { brief } = await planned(index, objects, evictBeyond(99), { where });
  expect(brief).toEqual(["evict 2 -0", "evict 3 -0"]);
});

test("a quota per value of a tag takes from each project what is beyond it", async () => {
  const index = await openFixtureIndex();
  await index.put(onBoth([100, 100, 100, 100]));
  await index.run(`INSERT INTO tag (object_id, tag) VALUES
    (0, 'project=atlas'), (1, 'project=atlas'), (2, 'project=borealis'), (3, 'other=atlas')`);
  const quota = { per: "meta.project", bytes: 100 };
  const rule = ruleOf("r", { kind: "evict", from: on(0), quota }, "true", { order: byHeat });
  const { actions } = await planOf(index, setOf(demoPair, rule));
  expect(briefly(actions)).toEqual(["evict 0 -0"]);
});

test("copies that an ensure needs count towards a quota, but stay", async () => {
  const index = await openFixtureIndex();
  await index.put(onBoth([100, 100], { owner: "ana" }));
  const quota = { per: "owner", bytes: 50 } as const;
  const rules = [
    ruleOf("keep", ensure(on(0), 1), "o.object_id = 0"),
    ruleOf("quota", { kind: "evict", from: on(0), quota }, "true", { order: byHeat }),
  ];
  const { actions, plan } = await planOf(index, setOf(demoPair, ...rules));
  expect(briefly(actions)).toEqual(["evict 1 -0"]);
  expect(plan.header.blocked).toMatchObject([{ rule: "test/quota", reason: "ensure" }]);
});

test("what the same plan puts on a backend, or on an owner's account, has to be freed as well", async () => {
  const index = await openFixtureIndex();
  const onHot = onBoth([100, 100, 100], { owner: "ana" });
  const onCold = { id: 9, size: 100, heat: 9, owner: "ana", copies: { 1: "verified" } } as const;
  await index.put([...onHot, onCold]);
  const more = { order: byHeat };
  const promote = ruleOf("warm-up", { kind: "promote", from: on(1), to: on(0) }, "o.object_id = 9");
  for (const verb of [evictUntil(50), evictBeyond(250)]) {
    const relieve = ruleOf("relieve", verb, "o.object_id < 9", more);
    const before = await planOf(index, setOf(demoPair, relieve));
    expect(briefly(before.actions)).toEqual(["evict 0 -0"]);
    const { actions } = await planOf(index, setOf(demoPair, relieve, promote));
    expect(briefly(actions).toSorted()).toEqual(["evict 0 -0", "evict 1 -0", "promote 9 1>0"]);
  }
});

function ofOwners(owners: readonly string[], more: Partial<FixtureObject> = {}) {
  return onBoth(owners.map(() => 100)).map((object, at): FixtureObject => {
    return { ...object, owner: owners[at] ?? "", ...more };
  });
}

test("a limit counts only what helps an exceeded quota, in the order of the rule", async () => {
  const index = await openFixtureIndex();
  const limit = { objects: 2, bytes: undefined };
  // Ana has one object more than her quota allows, as Ben has, whose turn comes later.
  await index.put(ofOwners(["ana", "ana", "ana", "ben", "ben", "ben"]));
  const quota = ruleOf("quota", evictBeyond(200), "true", { order: byHeat, limit });
  const apart = await planOf(index, setOf(demoPair, quota));
  expect(briefly(apart.actions)).toEqual(["evict 0 -0", "evict 3 -0"]);
  expect(apart.plan.header.blocked).toEqual([]);

  // What others than the owners beyond their quota have is judged for the sake of another rule.
  await index.put(ofOwners(["cem", "dan", "ana", "ana", "ana"]));
  const other = ruleOf("other", { kind: "evict", from: on(1) }, "o.object_id < 2");
  const beside = await planOf(index, setOf(demoPair, quota, other));
  expect(briefly(beside.actions).toSorted()).toEqual(["evict 0 -1", "evict 1 -1", "evict 2 -0"]);

  // What cannot be had tells of nobody who is within the quota either.
  await index.put(ofOwners(["cem", "dan", "ana", "ana", "ana"], { held: true }));
  const { plan } = await planOf(index, setOf(demoPair, quota, other));
  expect(plan.header.blocked).toMatchObject([
    { rule: "test/quota", reason: "held", objects: 3 },
    { rule: "test/other", reason: "held", objects: 2 },
  ]);
});

test("whatever owners have, limits are used only for what is needed of them", async () => {
  const index = await openFixtureIndex();
  const object = fc.record({
    size: fc.constantFrom(0, 50, 100, 400),
    owner: fc.constantFrom("ana", "ben", undefined),
    held: fc.constantFrom(false, false, false, true),
  });
  const limits = fc.record({
    objects: fc.constantFrom(undefined, 1, 2, 4),
    bytes: fc.constantFrom(undefined, 60, 150, 500),
  });
  const beside = fc.boolean();
  await fc.assert(
    fc.asyncProperty(
      fc.array(object, { minLength: 1, maxLength: 10 }),
      limits,
      fc.integer({ min: 0, max: 600 }),
      beside,
      async (given, limit, quota, isBeside) => {
        const objects = given.map(({ owner, ...one }, id): FixtureObject => {
          const named = owner === undefined ? {} : { owner };
          return { ...one, id, heat: id, copies: both, ...named };
        });
        await index.put(objects);
        const rule = ruleOf("quota", evictBeyond(quota), "true", { order: byHeat, limit });
        // Has all of them judged, and does nothing.
        const other = ruleOf("all", ensure(on(0, 1), 1, { copies: { min: 1, max: 2 } }), "true");
        const set = isBeside ? setOf(demoPair, rule, other) : setOf(demoPair, rule);
        const { actions } = await planOf(index, set);
        const taken = actions.map(({ objectId }) => objectId);
        expect(taken).toEqual(takenBy(objects, quota, limit));
      },
    ),
    { numRuns: 25 },
  );
});

/** The ids of what goes beyond a quota of each owner, with the limits of the rule, one by one. */
function takenBy(
  objects: readonly FixtureObject[],
  quota: number,
  { objects: most = Infinity, bytes = Infinity }: CompiledRule["limit"],
): readonly number[] {
  const beyond = new Map<string, number>();
  for (const { owner, size = 0 } of objects) {
    if (owner !== undefined) beyond.set(owner, (beyond.get(owner) ?? -quota) + size);
  }
  const taken: number[] = [];
  let sum = 0;
  for (const { id, owner, size = 0, held } of objects) {
    const need = owner === undefined ? 0 : (beyond.get(owner) ?? 0);
    if (held === true || owner === undefined || need <= 0 || size > bytes) continue;
    if (taken.length === most || sum + size > bytes) break;
    taken.push(id);
    sum += size;
    beyond.set(owner, need - size);
  }
  return taken;
}

function evicted(...ids: readonly number[]): readonly string[] {
  return ids.map((id) => `evict ${id} -0`);
}

test("only what a limit keeps of what is needed counts as kept by it", async () => {
  const index = await openFixtureIndex();
  const objects = onBoth([100, 900, 100, 100, 100, 100], { owner: "ana" });
  // 300 B have to go, and no object of more than 250 B may.
  for (const verb of [evictUntil(300), evictBeyond(1_100)]) {
    const most = async (limit: CompiledRule["limit"]) => {
      const { brief, blocked } = await planned(index, objects, verb, { limit });
      return [brief, blocked.map(({ reason, objects: kept }) => [reason, kept])];
    };
    expect(await most({ objects: 9, bytes: undefined })).toEqual([evicted(0, 1), []]);
    expect(await most({ objects: 1, bytes: undefined })).toEqual([evicted(0), [["limit", 1]]]);
    expect(await most({ objects: undefined, bytes: 899 })).toEqual([
      evicted(0, 2, 3),
      [["limit", 1]],
    ]);
    expect(await most({ objects: undefined, bytes: 250 })).toEqual([evicted(0, 2), [["limit", 2]]]);
  }
});

test("a collection of several owners goes whole where one of them is beyond the quota", async () => {
  const index = await openFixtureIndex();
  const rows = [
    ["ana", "first"],
    ["ana", "second"],
    ["ben", "second"],
    ["ben", undefined],
    ["cem", "second"],
  ] as const;
  const objects = onBoth(rows.map(() => 100)).map((object, at) => ({
    ...object,
    owner: rows[at]![0],
    ...(rows[at]![1] === undefined ? {} : { collection: rows[at]![1] }),
  }));
  // The second collection is not needed for Ana any more, but for Ben; Cem is within the quota.
  const { brief } = await planned(index, objects, evictBeyond(100), { group: "collection" });
  expect(brief).toEqual(["evict 0 -0", "evict 1 -0", "evict 2 -0"]);
});
