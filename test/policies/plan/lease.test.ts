import { expect, test } from "vitest";
import type { CompiledVerb } from "#policies/compiled-policy.ts";
import { applyPerfectly } from "./apply-perfectly.ts";
import { demoPair } from "./demo-pair.ts";
import { type FixtureObject, openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { ensure, on, ruleOf, setOf, testNow } from "./rule-of.ts";

const hour = 3_600_000;
const hoursAgo = (hours: number) => new Date(testNow.getTime() - hours * hour);
const cached = ruleOf("cached", ensure(on(0), 1, { forMs: 24 * hour }), "o.heat_weight >= 1");
/** A copy on cold that is meant to stay, and one on hot that the rule had made. */
const leased = (hours: number, more: Partial<FixtureObject> = {}): FixtureObject => ({
  id: 1,
  heat: 1,
  copies: { 0: "verified", 1: "verified" },
  leases: [{ rule: "test/cached", backend: 0, since: hoursAgo(hours) }],
  ...more,
});

async function planned(objects: readonly FixtureObject[], ...more: readonly CompiledVerb[]) {
  const index = await openFixtureIndex();
  await index.put(objects);
  const rules = more.map((verb, at) => ruleOf(`other-${at}`, verb));
  const { plan, actions } = await planOf(index, setOf(demoPair, ...rules, cached));
  return { plan, actions, brief: briefly(actions), index };
}

test("a copy is made as ever, and the plan says for how long its rule wants it", async () => {
  const { plan, brief } = await planned([{ id: 1, heat: 1, copies: { 1: "verified" } }]);
  expect(brief).toEqual(["replicate 1 1>0"]);
  expect(plan.header.leases).toEqual({ "test/cached": 24 * hour });
});

test("while it is wanted no rule takes it away, whether or not the rule still selects the object", async () => {
  for (const heat of [1, 0]) {
    const { brief, plan } = await planned([leased(23, { heat })], { kind: "evict", from: on(0) });
    expect(brief).toEqual([]);
    expect(plan.header.blocked).toMatchObject([{ rule: "test/other-0", reason: "ensure" }]);
  }
});

test("afterwards it is given up, with what must remain, and is not made again", async () => {
  const object = leased(24);
  const { actions, brief, plan, index } = await planned([object]);
  expect(brief).toEqual(["evict 1 -0"]);
  expect(actions[0]?.reason).toBe("was wanted for 1d, and enough copies remain elsewhere");
  expect(plan.header.blocked).toEqual([]);
  await index.put(applyPerfectly([object], actions, ["test/cached"]));
  expect(briefly((await planOf(index, setOf(demoPair, cached))).actions)).toEqual([]);
});

test("a read makes it wanted for as long again, and makes a copy that is gone wanted anew", async () => {
  const read = { accessed: hoursAgo(2) };
  expect((await planned([leased(30, read)])).brief).toEqual([]);
  const gone = { copies: { 1: "verified" as const }, leases: [lease(30)], heat: 1 };
  expect((await planned([{ id: 1, ...gone }])).brief).toEqual([]);
  expect((await planned([{ id: 1, ...gone, ...read }])).brief).toEqual(["replicate 1 1>0"]);
});

test("the last verified copy, one that another rule needs, and one of another origin stay", async () => {
  const only = leased(30, { copies: { 0: "verified" } });
  const { plan, brief } = await planned([only]);
  expect(brief).toEqual([]);
  expect(plan.header.blocked).toMatchObject([{ rule: "test/cached", reason: "minimum-copies" }]);
  expect((await planned([leased(30)], ensure(on(0), 1))).brief).toEqual([]);
  expect((await planned([{ ...leased(30), leases: [lease(30)] }])).brief).toEqual([]);
});

test("what is wanted for a time is not deleted meanwhile", async () => {
  const { brief, plan } = await planned([leased(1, { heat: 0 })], { kind: "delete", graceMs: 0 });
  expect(brief).toEqual([]);
  expect(plan.header.blocked).toMatchObject([{ rule: "test/other-0", reason: "ensure" }]);
});

test("a promotion can be for a time too", async () => {
  const index = await openFixtureIndex();
  const verb = { kind: "promote", from: on(1), to: on(0), forMs: 24 * hour } as const;
  const set = setOf(demoPair, ruleOf("cached", verb, "o.heat_weight >= 1"));
  await index.put([leased(30), { id: 2, heat: 1, copies: { 1: "verified" } }]);
  const { actions } = await planOf(index, set);
  expect(briefly(actions).toSorted()).toEqual(["evict 1 -0", "promote 2 1>0"]);
});

/** A lease whose copy is gone, or is another one by now. */
function lease(hours: number) {
  return { rule: "test/cached", since: hoursAgo(hours) };
}
