import { expect, test } from "vitest";
import type { CompiledRule, CompiledVerb } from "#policies/compiled-policy.ts";
import type { PlanOptions } from "#policies/plan/build-plan.ts";
import { trusted } from "#policies/sql-fragment.ts";
import { testBackend } from "../demo-backends.ts";
import { demoPair } from "./demo-pair.ts";
import { type FixtureObject, openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { ensure, on, ruleOf, setOf } from "./rule-of.ts";

const demote: CompiledVerb = { kind: "demote", from: on(0), to: on(1) };
const onHot = (id: number, collection: string | undefined, more: Partial<FixtureObject> = {}) => ({
  id,
  ...(collection === undefined ? {} : { collection }),
  copies: { 0: "verified" as const },
  ...more,
});

async function planned(
  objects: readonly FixtureObject[],
  rule: Partial<CompiledRule> & { readonly verb?: CompiledVerb } = {},
  options: Partial<PlanOptions> = {},
) {
  const index = await openFixtureIndex();
  await index.put(objects);
  const { verb = demote, where = trusted("true"), ...more } = rule;
  const grouped = { group: "collection" as const, where, ...more };
  const set = setOf(demoPair, ruleOf("together", verb, "true", grouped));
  const { plan, actions } = await planOf(index, set, options);
  return { brief: briefly(actions).toSorted(), blocked: plan.header.blocked, plan };
}

test("a collection is moved whole, and the plan says which rules do so", async () => {
  const { brief, plan } = await planned([onHot(1, "a"), onHot(2, "a"), onHot(3, undefined)]);
  expect(brief).toEqual(["demote 1 0>1 -0", "demote 2 0>1 -0", "demote 3 0>1 -0"]);
  expect(plan.header.groups).toEqual(["test/together"]);
});

test("a collection of which the rule does not select every object stays where it is", async () => {
  const objects = [onHot(1, "a"), onHot(2, "a", { heat: 5 }), onHot(3, "b")];
  const { brief } = await planned(objects, { where: trusted("(o.heat_weight < 1)") });
  expect(brief).toEqual(["demote 3 0>1 -0"]);
});

test("what keeps one object keeps its collection, with the reason", async () => {
  const objects = [onHot(1, "a"), onHot(2, "a", { held: true }), onHot(3, "b")];
  const { brief, blocked } = await planned(objects);
  expect(brief).toEqual(["demote 3 0>1 -0"]);
  expect(blocked.map(({ reason, objects: count }) => [reason, count])).toEqual([
    ["group", 1],
    ["held", 1],
  ]);
});

test("limits of the rule, of its policy and of the plan cut whole collections, in the order of the rule", async () => {
  // By heat the collections are interleaved: a, b, a, b, b.
  const names = ["a", "b", "a", "b", "b"];
  const objects = names.map((name, id) => onHot(id, name, { heat: id, size: 100 }));
  const order = [{ key: trusted("o.heat_weight"), descending: false }];
  const ofA = ["demote 0 0>1 -0", "demote 2 0>1 -0"];
  for (const bound of [2, 3, 4]) {
    const limit = { objects: bound, bytes: undefined };
    expect((await planned(objects, { order, limit })).brief).toEqual(ofA);
    const asked = await planned(objects, { order }, { limits: { objects: bound } });
    expect(asked.brief).toEqual(ofA);
  }
  const bytes = await planned(objects, { order, limit: { objects: undefined, bytes: 250 } });
  expect(bytes.brief).toEqual(ofA);
  const all = await planned(objects, { order, limit: { objects: 5, bytes: undefined } });
  expect(all.brief).toHaveLength(5);
});

test("a collection that alone is beyond a limit is passed over, so that others have their turn", async () => {
  const objects = [1, 2, 3].map((id) => onHot(id, "large")).concat(onHot(4, "small"));
  const limit = { objects: 2, bytes: undefined };
  expect((await planned(objects, { limit })).brief).toEqual(["demote 4 0>1 -0"]);
  const asked = await planned(objects, {}, { limits: { objects: 2 } });
  expect(asked.brief).toEqual(["demote 4 0>1 -0"]);
});

test("a collection without room for all of it is passed over, and another one has its turn", async () => {
  const [hot, cold] = demoPair;
  const full = [hot, { ...cold, capacityBytes: 2_500, freeBytes: 2_500 }];
  const index = await openFixtureIndex();
  await index.put([onHot(1, "a"), onHot(2, "a"), onHot(3, "a"), onHot(4, "b")]);
  const rule = ruleOf("together", ensure(on(1), 1), "true", { group: "collection" });
  const { actions, plan } = await planOf(index, setOf(full as typeof demoPair, rule));
  expect(briefly(actions)).toEqual(["replicate 4 0>1"]);
  expect(plan.header.blocked.map(({ reason }) => reason)).toContain("capacity");
});

test("a move that rests on what a collection does not get stays with it", async () => {
  const backends = [0, 1, 2, 3].map((id) => testBackend({ id, name: `backend-${id}` }));
  const index = await openFixtureIndex();
  // Object 2 has no copy to read: its whole collection waits, and with it what object 1 would get.
  await index.put([
    { id: 1, collection: "a", copies: { 0: "verified" } },
    { id: 2, collection: "a", copies: {} },
  ]);
  const rules = [
    ruleOf("one", ensure(on(2), 1, { confidence: "claimed" }), "true", { group: "collection" }),
    ruleOf("colder", { kind: "demote", from: on(0), to: on(3) }),
    ruleOf("two", ensure(on(0, 2, 3), 2, { confidence: "claimed" })),
  ];
  const { actions, plan } = await planOf(index, setOf(backends, ...rules));
  expect(briefly(actions)).toEqual([]);
  const waiting = plan.header.blocked.filter(({ reason }) => reason === "group");
  expect(waiting.map(({ rule, objects }) => [rule, objects])).toEqual([
    ["test/one", 1],
    ["test/colder", 1],
  ]);
});
