import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Backend } from "#model/backend.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { explainObject } from "#policies/explain/explain-object.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { sql, toStatement } from "#policies/sql-fragment.ts";
import { readWrite, testBackend } from "../demo-backends.ts";
import { worlds } from "./arbitrary-world.ts";
import { type FixtureObject, openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { ensure, on, ruleOf, setOf } from "./rule-of.ts";

const runs = Number(process.env["PROPERTY_RUNS"] ?? 15);

/** Backends of which those of each pair are one storage. */
function backendsWith(count: number, ...pairs: readonly (readonly [number, number])[]): Backend[] {
  const backends = Array.from({ length: count }, (_, id) =>
    testBackend({ id, name: `b${id}`, capabilities: readWrite }),
  );
  return namesOf(backends, pairs);
}

function namesOf(
  backends: readonly Backend[],
  pairs: readonly (readonly [number, number])[],
): Backend[] {
  return backends.map((backend) => {
    const sameAs = pairs.flatMap(([one, other]) => {
      if (one === backend.id) return [other];
      return other === backend.id ? [one] : [];
    });
    return sameAs.length === 0 ? backend : { ...backend, sameAs };
  });
}

const twins = backendsWith(3, [0, 1]);
const both = { id: 0, size: 100, copies: { 0: "verified", 1: "verified" } } as const;

test("a copy on two names of one storage is one, and stays when it is the last one", async () => {
  const index = await openFixtureIndex();
  const evict = ruleOf("evict", { kind: "evict", from: on(0) });
  await index.put([both]);
  const { actions, plan } = await planOf(index, setOf(twins, evict));
  expect(actions).toEqual([]);
  expect(plan.header.blocked).toMatchObject([{ rule: "test/evict", reason: "minimum-copies" }]);
  await index.put([{ ...both, copies: { ...both.copies, 2: "verified" } }]);
  expect(briefly((await planOf(index, setOf(twins, evict))).actions)).toEqual(["evict 0 -0"]);
  // What another rule counts on goes with it.
  const keep = ruleOf("keep", ensure(on(1), 1));
  expect((await planOf(index, setOf(twins, keep, evict))).actions).toEqual([]);
});

test("a removal must keep what is promised on another name of its storage", async () => {
  const index = await openFixtureIndex();
  const evict = ruleOf("evict", { kind: "evict", from: on(0) });
  const keep = ruleOf("keep", ensure(on(1, 2), 1));
  await index.put([{ ...both, copies: { ...both.copies, 2: "verified" } }]);
  const { actions } = await planOf(index, setOf(twins, keep, evict));
  const promise = { rule: "test/keep", backends: "6", copies: 1, confidence: "verified" };
  expect(actions).toMatchObject([{ victim: 0, requirements: [promise] }]);
  // Of a storage of its own nothing is asked.
  const apart = await planOf(index, setOf(backendsWith(3), keep, evict));
  expect(apart.actions).toMatchObject([{ victim: 0, requirements: [] }]);
});

test("new copies go to storage that has none, under whatever name", async () => {
  const index = await openFixtureIndex();
  const two = ruleOf("two", ensure(on(0, 1, 2), 2));
  await index.put([both]);
  expect(briefly((await planOf(index, setOf(twins, two))).actions)).toEqual(["replicate 0 0>2"]);
  // Whichever object it is: by chance half of them would go to the other name.
  const many = Array.from({ length: 8 }, (_, id): FixtureObject => {
    return { id, size: 100, copies: id % 2 === 0 ? { 0: "verified" } : { 2: "verified" } };
  });
  await index.put(many);
  const { actions } = await planOf(index, setOf(twins, two));
  expect(actions).toHaveLength(8);
  expect(actions.map(({ objectId, target }) => (target === 2) === (objectId % 2 === 0))).toEqual(
    actions.map(() => true),
  );
  const three = ruleOf("three", ensure(on(0, 1, 2), 3));
  const { actions: few, plan } = await planOf(index, setOf(twins, three));
  expect(few).toHaveLength(8);
  expect(plan.header.blocked).toMatchObject([{ reason: "no-target", objects: 8 }]);
});

test("nothing moves from one name of a storage to another, and explain says why", async () => {
  const index = await openFixtureIndex();
  await index.put([{ ...both, copies: { 0: "verified" } }]);
  for (const kind of ["demote", "promote"] as const) {
    const set = setOf(twins, ruleOf("move", { kind, from: on(0), to: on(1) }));
    const { actions, plan } = await planOf(index, set);
    expect(actions).toEqual([]);
    expect(plan.header.blocked).toMatchObject([{ rule: "test/move", reason: "no-target" }]);
    await using session = await index.session();
    expect((await explainObject(set, session, 0)).conclusion).toContain(
      "b1 is the same storage as b0: a copy on both counts once, and goes from both",
    );
    const elsewhere = setOf(twins, ruleOf("move", { kind, from: on(0), to: on(1, 2) }));
    const moved = briefly((await planOf(index, elsewhere)).actions);
    expect(moved).toEqual([kind === "demote" ? "demote 0 0>2 -0" : "promote 0 0>2"]);
  }
});

test("policies and explanations count names of one storage once", async () => {
  const index = await openFixtureIndex();
  await index.put([{ ...both, copies: { ...both.copies, 2: "verified" } }]);
  const set = setOf(twins, ruleOf("two", ensure(on(0, 1, 2), 2)));
  await using session = await index.session();
  const { rules } = await explainObject(set, session, 0);
  expect(rules[0]?.result).toBe("satisfied: 2 verified copies (b0, b1, b2)");
  const registry = await loadAttributes();
  const text = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
rules:
  - {name: r, where: copies() = 2 and copies(confidence = verified) = 2, hold: true}`;
  const { policies, diagnostics } = parsePolicies([{ file: "p.yaml", text }], { registry });
  expect(diagnostics).toEqual([]);
  const counted = async (backends: readonly Backend[]) => {
    const { where } = compilePolicies(policies, { ...set.moment, backends }).set.rules[0]!;
    return await session.rows(toStatement(sql`SELECT 1 FROM object o WHERE ${where}`));
  };
  expect(await counted(twins)).toHaveLength(1);
  expect(await counted(backendsWith(3))).toHaveLength(0);
});

test("names of one storage are no surplus", async () => {
  const index = await openFixtureIndex();
  await index.put([both]);
  const one = ruleOf("one", ensure(on(0, 1, 2), 1, { copies: { min: 1, max: 1 } }));
  expect((await planOf(index, setOf(twins, one))).actions).toEqual([]);
  await index.put([{ ...both, copies: { ...both.copies, 2: "verified" } }]);
  expect((await planOf(index, setOf(twins, one))).actions).toHaveLength(1);
});

test("a storage that spans two others counts as none beside them", async () => {
  const index = await openFixtureIndex();
  const spans = backendsWith(4, [0, 1], [1, 3]);
  const all = { 0: "verified", 1: "verified", 3: "verified" } as const;
  await index.put([{ ...both, copies: all }]);
  const set = (min: number) => setOf(spans, ruleOf("some", ensure(on(0, 1, 2, 3), min)));
  expect((await planOf(index, set(2))).actions).toEqual([]);
  expect(briefly((await planOf(index, set(3))).actions)).toEqual(["replicate 0 0>2"]);
});

test("a rule gets its copies whatever spans several others, and the reason counts storages", async () => {
  const index = await openFixtureIndex();
  // By chance the first copy of a third of them would go to the one that spans both others.
  const spans = backendsWith(4, [1, 2], [1, 3]);
  const many = Array.from({ length: 12 }, (_, id) => {
    return { id, size: 100, copies: { 0: "verified" } } as const;
  });
  await index.put(many);
  const two = ruleOf("two", ensure(on(1, 2, 3), 2));
  const { actions, plan } = await planOf(index, setOf(spans, two));
  expect(plan.header.blocked).toEqual([]);
  for (const { id } of many) {
    const targets = actions.filter(({ objectId }) => objectId === id).map(({ target }) => target);
    expect(new Set(targets)).toEqual(new Set([2, 3]));
    expect(targets).toHaveLength(2);
  }
  // Where only it may be written to, it is better than nothing, and the rest is said.
  const cordoned = spans.map((backend) => ({ ...backend, cordoned: backend.id === 2 }));
  const half = await planOf(index, setOf(cordoned, two));
  expect(half.actions.map(({ target }) => target)).toEqual(many.map(() => 3));
  expect(half.plan.header.blocked).toMatchObject([{ reason: "cordon", objects: 12 }]);
  await index.put([both]);
  const [action] = (await planOf(index, setOf(twins, ruleOf("two", ensure(on(0, 1, 2), 2)))))
    .actions;
  expect(action?.reason).toContain("has 1");
});

/** Clusters (0, 1) and nodes (2 to 6) of which each belongs to one of them or to none. */
const clusters = fc
  .array(fc.integer({ min: -1, max: 1 }), { minLength: 5, maxLength: 5 })
  .map((of) =>
    backendsWith(
      7,
      ...of.flatMap((cluster, node) => (cluster < 0 ? [] : [[cluster, node + 2] as const])),
    ),
  );

test(
  "rules get as many copies as there are storages, and say what they lack",
  { timeout: 300_000 },
  async () => {
    const index = await openFixtureIndex();
    const scenes = fc.record({
      backends: clusters,
      places: fc.uniqueArray(fc.nat(6), { minLength: 1 }),
      held: fc.nat(6),
      cordoned: fc.uniqueArray(fc.nat(6), { maxLength: 3 }),
      min: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(scenes, async ({ backends, places, held, cordoned, min }) => {
        const all = backends.map((one) => ({ ...one, cordoned: cordoned.includes(one.id) }));
        const objects = Array.from({ length: 4 }, (_, id): FixtureObject => {
          return { id, size: 100, copies: { [held]: "verified" } };
        });
        await index.put(objects);
        const set = setOf(all, ruleOf("some", ensure(on(...places), min)));
        const { actions, plan } = await planOf(index, set);
        const had = places.includes(held) ? 1 : 0;
        const free = places.filter(
          (id) => id !== held && !cordoned.includes(id) && !isSame(set.moment, id, held),
        );
        const made = Math.min(min - had, storagesAmong(set.moment, free));
        for (const { id } of objects) {
          const targets = idsOf(
            actions.filter(({ objectId }) => objectId === id).map(({ target }) => target),
          );
          expect(storagesAmong(set.moment, targets)).toBe(Math.max(0, made));
          expect(targets).toHaveLength(Math.max(0, made));
        }
        const lacking = plan.header.blocked.reduce((sum, one) => sum + one.objects, 0);
        expect(lacking).toBe(made < min - had ? objects.length : 0);
      }),
      { numRuns: runs },
    );
  },
);

const pairsOf = (count: number) =>
  fc
    .uniqueArray(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { minLength: 1, maxLength: 3 })
    .map((pairs) => pairs.filter(([one, other]) => one !== other));
const namedWorlds = worlds.chain((world) =>
  pairsOf(world.backends.length).map((pairs) => ({
    ...world,
    backends: namesOf(world.backends, pairs),
  })),
);

test("whatever is one storage, enough others keep a copy", { timeout: 300_000 }, async () => {
  const index = await openFixtureIndex();
  await fc.assert(
    fc.asyncProperty(namedWorlds, async (world) => {
      await index.put(world.objects);
      const set = setOf(world.backends, ...world.rules.map(({ rule }) => rule));
      const { actions } = await planOf(index, set, { minimumCopies: world.minimumCopies });
      for (const object of world.objects) {
        const own = actions.filter(
          ({ objectId, verb }) => objectId === object.id && verb !== "delete",
        );
        const [targets, victims] = [
          idsOf(own.map(({ target }) => target)),
          idsOf(own.map(({ victim }) => victim)),
        ];
        for (const [at, target] of targets.entries()) {
          const others = [...targets.slice(0, at), ...provenOn(object)];
          expect(others.some((other) => isSame(world, other, target))).toBe(false);
        }
        if (victims.length === 0) continue;
        const left = [...new Set([...provenOn(object), ...targets])].filter(
          (id) => !victims.some((victim) => victim === id || isSame(world, victim, id)),
        );
        expect(storagesAmong(world, left)).toBeGreaterThanOrEqual(world.minimumCopies);
      }
    }),
    { numRuns: runs },
  );
});

function idsOf(ids: readonly (number | null)[]): readonly number[] {
  return ids.filter((id) => id !== null);
}

function provenOn({ copies = {} }: FixtureObject): readonly number[] {
  return Object.keys(copies).flatMap((id) => (copies[+id] === "verified" ? [+id] : []));
}

interface Storages {
  readonly backends: readonly Backend[];
}

function isSame({ backends }: Storages, one: number, other: number): boolean {
  return backends[one]?.sameAs?.includes(other) === true;
}

/** The most of these backends of which no two are the same storage, by trying all. */
function storagesAmong(world: Storages, [first, ...rest]: readonly number[]): number {
  if (first === undefined) return 0;
  const apart = rest.filter((id) => !isSame(world, first, id));
  return Math.max(1 + storagesAmong(world, apart), storagesAmong(world, rest));
}
