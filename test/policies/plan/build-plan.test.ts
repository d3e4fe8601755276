import { expect, test } from "vitest";
import { testBackend } from "../demo-backends.ts";
import { openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { ensure, on, ruleOf, setOf, testNow } from "./rule-of.ts";

const hot = testBackend({ id: 0, name: "hot", tier: "hot", region: "eu-1" });
const warm = testBackend({ id: 1, name: "warm", tier: "warm", region: "eu-2" });
const cold = testBackend({ id: 2, name: "cold", tier: "cold", region: "eu-3" });
const backends = [hot, warm, cold];

test("an object that lacks a copy gets one, read from where it is", async () => {
  const index = await openFixtureIndex();
  await index.put([
    { id: 1, copies: { 0: "verified" } },
    { id: 2, copies: { 0: "verified", 1: "verified" } },
  ]);
  const { plan, actions } = await planOf(
    index,
    setOf(backends, ruleOf("two", ensure(on(0, 1), 2))),
  );
  expect(briefly(actions)).toEqual(["replicate 1 0>1"]);
  expect(plan.header.totals).toMatchObject({ actions: 1, objects: 1, bytesMoved: 1000 });
});

test("an object that is already being copied there is not planned again", async () => {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, copies: { 0: "verified" }, inFlight: [1] }]);
  const { actions } = await planOf(index, setOf(backends, ruleOf("two", ensure(on(0, 1), 2))));
  expect(actions).toEqual([]);
});

test("an unproven copy is checked in place instead of being written again", async () => {
  const index = await openFixtureIndex();
  await index.put([
    { id: 1, copies: { 0: "listed", 1: "listed" } },
    { id: 2, copies: { 0: "listed" } },
  ]);
  const rule = ruleOf("two", ensure(on(0, 1), 2));
  const { plan, actions } = await planOf(index, setOf([hot, warm], rule));
  expect(briefly(actions).toSorted()).toEqual([
    "replicate 1 0>1",
    "replicate 1 1>0",
    "replicate 2 0>1",
  ]);
  expect(plan.header.totals.bytesMoved).toBe(1_000);
  // Nothing else holds the bytes of object 2, so its only copy waits for a verify.
  expect(plan.header.blocked).toEqual([
    { rule: "test/two", reason: "unverified", objects: 1, bytes: 1_000 },
  ]);
});

test("a demote copies to the colder place and removes at the source in one action", async () => {
  const index = await openFixtureIndex();
  await index.put([
    { id: 1, copies: { 0: "verified" } },
    { id: 2, copies: { 0: "verified", 2: "verified" } },
    { id: 3, copies: { 2: "verified" } },
  ]);
  const rule = ruleOf("cool", { kind: "demote", from: on(0), to: on(2) });
  const { plan, actions } = await planOf(index, setOf(backends, rule));
  expect(briefly(actions)).toEqual(["demote 2 -0", "demote 1 0>2 -0"]);
  expect(actions.map(({ requirements }) => requirements)).toEqual([
    [{ rule: "test/cool", backends: "4", copies: 1, confidence: "verified" }],
    [{ rule: "test/cool", backends: "4", copies: 1, confidence: "verified" }],
  ]);
  expect(plan.header.totals).toMatchObject({ objects: 2, bytesMoved: 1_000, bytesFreed: 2_000 });
});

test("a demote with several sources moves one copy and evicts the others", async () => {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, copies: { 0: "verified", 1: "verified" } }]);
  const rule = ruleOf("cool", { kind: "demote", from: on(0, 1), to: on(2) });
  const { actions } = await planOf(index, setOf(backends, rule));
  expect(briefly(actions).toSorted()).toEqual(["demote 1 0>2 -0", "evict 1 -1"]);
});

test("a promote adds a copy in the warmer place and keeps the colder one", async () => {
  const index = await openFixtureIndex();
  await index.put([
    { id: 1, copies: { 2: "verified" } },
    { id: 2, copies: { 0: "verified", 2: "verified" } },
    { id: 3, copies: { 1: "verified" } },
  ]);
  const rule = ruleOf("warm-up", { kind: "promote", from: on(2), to: on(0) });
  const { actions } = await planOf(index, setOf(backends, rule));
  expect(briefly(actions)).toEqual(["promote 1 2>0"]);
});

test("an evict never takes the last verified copy, nor one that an ensure needs", async () => {
  const index = await openFixtureIndex();
  await index.put([
    { id: 1, copies: { 0: "verified" } },
    { id: 2, copies: { 0: "verified", 2: "listed" } },
    { id: 3, size: 5_000, copies: { 0: "verified", 2: "verified" } },
    { id: 4, copies: { 0: "verified", 1: "verified", 2: "verified" } },
  ]);
  const needs = ruleOf("needs", ensure(on(0, 1), 1), "o.size >= 5000");
  const evict = ruleOf("free", { kind: "evict", from: on(0) });
  const { plan, actions } = await planOf(index, setOf(backends, needs, evict));
  expect(briefly(actions)).toEqual(["evict 4 -0"]);
  expect(plan.header.blocked).toEqual([
    { rule: "test/free", reason: "ensure", objects: 1, bytes: 5_000 },
    { rule: "test/free", reason: "minimum-copies", objects: 2, bytes: 2_000 },
  ]);
});

test("a removal that rests on a copy of the same plan becomes one action with it", async () => {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, copies: { 0: "verified" } }]);
  const archive = ruleOf("archive", ensure(on(2), 1));
  const evict = ruleOf("free", { kind: "evict", from: on(0) });
  const { actions } = await planOf(index, setOf(backends, archive, evict));
  expect(briefly(actions)).toEqual(["demote 1 0>2 -0"]);
  expect(actions[0]?.rule).toBe("test/free");
});

test("a held object loses nothing, whether held by hand or by a rule, but may gain", async () => {
  const index = await openFixtureIndex();
  const copies = { 0: "verified", 1: "verified" } as const;
  await index.put([
    { id: 1, copies, held: true },
    { id: 2, size: 7, copies },
  ]);
  const rules = [
    ruleOf("legal", { kind: "hold" }, "o.size = 7"),
    ruleOf("archive", ensure(on(2), 1)),
    ruleOf("free", { kind: "evict", from: on(0) }),
    ruleOf("drop", { kind: "delete", graceMs: 0 }),
  ];
  const { plan, actions } = await planOf(index, setOf(backends, ...rules));
  expect(briefly(actions)).toEqual(["replicate 1 0>2", "replicate 2 0>2"]);
  expect(plan.header.blocked).toEqual([
    { rule: "test/free", reason: "held", objects: 2, bytes: 1_007 },
    { rule: "test/drop", reason: "held", objects: 2, bytes: 1_007 },
  ]);
});

test("a delete marks first, waits for its grace, and then takes every copy", async () => {
  const index = await openFixtureIndex();
  const copies = { 0: "verified", 2: "verified" } as const;
  await index.put([
    { id: 1, copies },
    { id: 2, copies, tombstoned: ago(6) },
    { id: 3, copies, tombstoned: ago(7) },
    { id: 4, size: 1, copies, tombstoned: ago(90) },
  ]);
  const drop = ruleOf("drop", { kind: "delete", graceMs: 7 * 86_400_000 }, "o.size = 1000");
  const { plan, actions } = await planOf(index, setOf(backends, drop));
  expect(briefly(actions)).toEqual(["delete 3 -0", "delete 3 -2", "tombstone 1"]);
  expect(plan.header.blocked).toEqual([
    { rule: "test/drop", reason: "grace", objects: 1, bytes: 1_000 },
  ]);
});

test("an ensure that matches forbids deletion", async () => {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, copies: { 0: "verified" } }]);
  const drop = ruleOf("drop", { kind: "delete", graceMs: 0 });
  const { plan, actions } = await planOf(
    index,
    setOf(backends, drop, ruleOf("keep", ensure(on(0), 1))),
  );
  expect(actions).toEqual([]);
  expect(plan.header.blocked).toMatchObject([{ rule: "test/drop", reason: "ensure" }]);
});

test("copies beyond the maximum are given up, unproven ones first", async () => {
  const index = await openFixtureIndex();
  await index.put([
    { id: 1, copies: { 0: "verified", 1: "listed", 2: "verified" } },
    { id: 2, copies: { 0: "verified", 1: "verified" } },
  ]);
  const rule = ruleOf("few", ensure(on(0, 1, 2), 1, { copies: { min: 1, max: 2 } }));
  const { actions } = await planOf(index, setOf(backends, rule));
  expect(briefly(actions)).toEqual(["evict 1 -1"]);
  expect(actions[0]?.reason).toBe("has 3 verified copies where 1 to 2 are wanted");
});

test("an order and a limit choose which objects go, and the rest is reported", async () => {
  const index = await openFixtureIndex();
  await index.put(
    [5, 1, 4, 2, 3].map((heat, at) => ({
      id: at,
      size: 100,
      heat,
      copies: { 0: "verified", 2: "verified" } as const,
    })),
  );
  const evict = ruleOf("free", { kind: "evict", from: on(0) }, "true", {
    order: [{ key: { parts: ["o.heat_weight"], values: [] }, descending: false }],
    limit: { objects: 4, bytes: 250 },
  });
  const { plan, actions } = await planOf(index, setOf(backends, evict));
  expect(briefly(actions)).toEqual(["evict 1 -0", "evict 3 -0"]);
  expect(plan.header.blocked).toEqual([
    { rule: "test/free", reason: "limit", objects: 3, bytes: 300 },
  ]);
});

test("of two rules that claim the same copy the first one decides", async () => {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, copies: { 0: "verified", 1: "verified" } }]);
  const evict = ruleOf("free", { kind: "evict", from: on(0) });
  const demote = ruleOf("cool", { kind: "demote", from: on(0), to: on(2) });
  const first = await planOf(index, setOf(backends, evict, demote));
  expect(briefly(first.actions)).toEqual(["evict 1 -0"]);
  const second = await planOf(index, setOf(backends, demote, evict));
  expect(briefly(second.actions)).toEqual(["demote 1 0>2 -0"]);
});

test("an object with several names is protected by any and given up only by all", async () => {
  const index = await openFixtureIndex();
  const copies = { 0: "verified", 2: "verified" } as const;
  await index.put([
    { id: 1, copies, names: ["/scratch/a", "/keep/a"] },
    { id: 2, copies, names: ["/scratch/b", "/scratch/c"] },
    { id: 3, copies, names: ["/scratch/d"] },
  ]);
  const evict = ruleOf("free", { kind: "evict", from: on(0) }, "", by("/scratch/"));
  const both = await planOf(index, setOf(backends, evict));
  expect(briefly(both.actions)).toEqual(["evict 2 -0", "evict 3 -0"]);
  const hold = ruleOf("hold", { kind: "hold" }, "", by("/scratch/c"));
  const held = await planOf(index, setOf(backends, hold, evict));
  expect(briefly(held.actions)).toEqual(["evict 3 -0"]);
});

test("guards judge what is destructive, not what only adds copies", async () => {
  const index = await openFixtureIndex();
  await index.put(
    Array.from({ length: 20 }, (_, id) => ({
      id,
      size: id,
      copies: (id < 3 ? { 0: "verified", 2: "verified" } : { 0: "verified" }) as never,
    })),
  );
  const add = await planOf(index, setOf(backends, ruleOf("two", ensure(on(0, 1), 2))));
  expect(add.plan.header.guards.every(({ passed }) => passed)).toBe(true);
  const free = await planOf(index, setOf(backends, ruleOf("free", { kind: "evict", from: on(0) })));
  expect(free.plan.header.guards.filter(({ passed }) => !passed)).toEqual([
    {
      guard: "objects",
      passed: false,
      message: "3 of 20 objects lose or move a copy (allowed: 2, 10 %)",
      override: "objects",
    },
  ]);
});

/** The same test on the first name of an object and on each of several. */
function by(prefix: string) {
  return {
    where: { parts: [`coalesce(o.path LIKE '${prefix}%', false)`], values: [] },
    whereByName: { parts: [`coalesce(n.path LIKE '${prefix}%', false)`], values: [] },
  };
}

function ago(days: number): Date {
  return new Date(testNow.getTime() - days * 86_400_000);
}
