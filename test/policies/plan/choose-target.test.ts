import { expect, test } from "vitest";
import { testBackend } from "../demo-backends.ts";
import { openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { ensure, on, ruleOf, setOf } from "./rule-of.ts";

const hot = testBackend({ id: 0, name: "hot", tier: "hot", region: "eu-1" });
const warm = testBackend({ id: 1, name: "warm", tier: "warm", region: "eu-2" });
const cold = testBackend({ id: 2, name: "cold", tier: "cold", region: "eu-3" });
const backends = [hot, warm, cold];

test("a target fills up in plan order and what does not fit is blocked", async () => {
  const index = await openFixtureIndex();
  const small = { ...warm, capacityBytes: 3_000, freeBytes: 2_600 };
  await index.put([1, 2, 3].map((id) => ({ id, copies: { 0: "verified" } as const })));
  const rule = ruleOf("two", ensure(on(0, 1), 2));
  const { plan, actions } = await planOf(index, setOf([hot, small], rule));
  expect(briefly(actions)).toEqual(["replicate 1 0>1", "replicate 2 0>1"]);
  expect(plan.header.blocked).toMatchObject([{ reason: "capacity", objects: 1 }]);
  expect(plan.header.guards).toContainEqual(
    expect.objectContaining({ guard: "capacity", passed: true }),
  );
});

test("an ensure leaves the place free that a demote of the same object needs", async () => {
  const index = await openFixtureIndex();
  await index.put(
    Array.from({ length: 20 }, (_, id) => ({ id, copies: { 0: "verified" } as const })),
  );
  const two = ruleOf("two", ensure(on(0, 1, 2), 2));
  const cool = ruleOf("cool", { kind: "demote", from: on(0), to: on(2) });
  const { plan, actions } = await planOf(index, setOf(backends, two, cool));
  expect(plan.header.totals.groups).toMatchObject([
    { verb: "replicate", source: "hot", target: "warm", victim: null, actions: 20 },
    { verb: "demote", source: "hot", target: "cold", victim: "hot", actions: 20 },
  ]);
  expect(actions.length).toBe(40);
});

test("a demote moves beside a copy that is there already when an ensure wants two", async () => {
  const index = await openFixtureIndex();
  await index.put([
    { id: 1, copies: { 0: "verified", 2: "verified" } },
    { id: 2, size: 7, copies: { 0: "verified", 2: "verified" } },
    { id: 3, copies: { 0: "verified", 2: "verified" }, inFlight: [1] },
  ]);
  const two = ruleOf("two", ensure(on(0, 1, 2), 2));
  const here = ruleOf("here", ensure(on(0), 1), "o.size = 7");
  const cool = ruleOf("cool", { kind: "demote", from: on(0), to: on(2) });
  const { plan, actions } = await planOf(index, setOf(backends, two, here, cool));
  expect(briefly(actions)).toEqual(["demote 1 0>1 -0"]);
  // One must stay on hot; for the other a copy is on its way that may settle it.
  expect(plan.header.blocked).toEqual([
    { rule: "test/cool", reason: "ensure", objects: 2, bytes: 1_007 },
  ]);
});

test("a demote of two copies that an ensure counts on finds a place for each", async () => {
  const index = await openFixtureIndex();
  const archive = testBackend({ id: 3, name: "archive", tier: "archive" });
  await index.put([{ id: 1, copies: { 0: "verified", 1: "verified" } }]);
  const two = ruleOf("two", ensure(on(0, 1, 2, 3), 2));
  const cool = ruleOf("cool", { kind: "demote", from: on(0, 1), to: on(2) });
  const { plan, actions } = await planOf(index, setOf([...backends, archive], two, cool));
  expect(briefly(actions)).toEqual(["demote 1 0>2 -0", "demote 1 1>3 -1"]);
  expect(plan.header.blocked).toEqual([]);
});

test("cordoned and unwritable backends get nothing, with the reason", async () => {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, copies: { 0: "verified" } }, { id: 2 }]);
  const readOnly = { ...warm.capabilities, operations: ["read"] as const };
  const inventory = [hot, { ...warm, capabilities: readOnly }, { ...cold, cordoned: true }];
  const { plan, actions } = await planOf(
    index,
    setOf(inventory, ruleOf("a", ensure(on(0, 1), 2)), ruleOf("b", ensure(on(0, 2), 2))),
  );
  expect(actions).toEqual([]);
  expect(plan.header.blocked.map(({ rule, reason }) => `${rule} ${reason}`)).toEqual([
    "test/a no-source",
    "test/a no-target",
    "test/b cordon",
    "test/b no-source",
  ]);
});

test("copies spread over the values of an attribute", async () => {
  const index = await openFixtureIndex();
  const inventory = ["a", "a", "a", "b"].map((region, id) =>
    testBackend({ id, name: `n${id}`, region }),
  );
  await index.put(
    Array.from({ length: 40 }, (_, id) => ({ id, copies: { 0: "verified" } as const })),
  );
  const rule = ruleOf("spread", ensure(on(0, 1, 2, 3), 2, { per: "region" }));
  const { actions } = await planOf(index, setOf(inventory, rule));
  expect(new Set(actions.map(({ target }) => target))).toEqual(new Set([3]));
});
