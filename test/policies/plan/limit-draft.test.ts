import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PlanLimits } from "#model/plan-limits.ts";
import type { PlanAction } from "#model/plan.ts";
import type { CompiledPolicySet, CompiledRule } from "#policies/compiled-policy.ts";
import { sql, trusted } from "#policies/sql-fragment.ts";
import { testBackend } from "../demo-backends.ts";
import { type World, worlds } from "./arbitrary-world.ts";
import { openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { planViolations } from "./plan-violations.ts";
import { ensure, on, ruleOf, setOf } from "./rule-of.ts";

const runs = Number(process.env["PROPERTY_RUNS"] ?? 25);
const backends = (["hot", "warm", "cold"] as const).map((tier, id) =>
  testBackend({ id, name: tier, tier, region: `eu-${id}` }),
);

/** A rule of a policy of its own. */
function own(policy: string, rule: CompiledRule, more: Partial<CompiledRule> = {}): CompiledRule {
  return { ...rule, ...more, policy, id: `${policy}/${rule.id.slice(rule.id.indexOf("/") + 1)}` };
}

const demote = own("cool", ruleOf("down", { kind: "demote", from: on(0), to: on(2) }));
const bySize = { order: [{ key: trusted("o.size"), descending: true }] };

function limited(set: CompiledPolicySet, limits: Record<string, PlanLimits>): CompiledPolicySet {
  return { ...set, limits };
}

async function fiveOnHot() {
  const index = await openFixtureIndex();
  const sizes = [100, 500, 300, 200, 400];
  await index.put(sizes.map((size, id) => ({ id, size, copies: { 0: "verified" as const } })));
  return index;
}

describe("limits of a policy", () => {
  test("take the first objects in the order of its rules, and the plan says what cut the rest", async () => {
    const index = await fiveOnHot();
    const set = setOf(backends, { ...demote, ...bySize });
    const { plan, actions } = await planOf(index, limited(set, { cool: { objects: 2 } }));
    expect(briefly(actions)).toEqual(["demote 1 0>2 -0", "demote 4 0>2 -0"]);
    expect(plan.header.blocked).toEqual([
      {
        rule: "cool/down",
        reason: "limit",
        objects: 3,
        bytes: 600,
        limit: "policy cool: 2 objects",
      },
    ]);
  });

  test("stop at the first object that does not fit, and pass over one that never could", async () => {
    const index = await fiveOnHot();
    const set = setOf(backends, { ...demote, ...bySize });
    const taken = async (bytes: number) => {
      const { actions } = await planOf(index, limited(set, { cool: { bytes } }));
      return actions.map(({ objectId }) => objectId);
    };
    expect(await taken(900)).toEqual([1, 4]);
    expect(await taken(899)).toEqual([1]);
    expect(await taken(450)).toEqual([4]);
    expect(await taken(99)).toEqual([]);
  });

  test("as a share count all objects of the index, and let one object pass", async () => {
    const index = await fiveOnHot();
    const set = setOf(backends, demote);
    const share = async (objectsShare: number) => {
      const { plan } = await planOf(index, limited(set, { cool: { objectsShare } }));
      return [plan.header.totals.objects, plan.header.blocked[0]?.limit];
    };
    expect(await share(0.4)).toEqual([2, "policy cool: 40% of 5 objects, which is 2"]);
    expect(await share(0.01)).toEqual([1, "policy cool: 1% of 5 objects, which is 1"]);
    expect(await share(0)).toEqual([0, "policy cool: 0% of 5 objects, which is 0"]);
  });

  test("the smallest of those of policy, trigger and plan wins, and is the one that is named", async () => {
    const index = await fiveOnHot();
    const set = limited(setOf(backends, demote), { cool: { objects: 3 } });
    const cutBy = async (trigger: number, asked: number) => {
      const limits = { of: "trigger copy-lost", limits: { objects: trigger } };
      const scope = { policy: "cool", limits };
      const { plan } = await planOf(index, set, { scope, limits: { objects: asked } });
      return [plan.header.totals.objects, ...plan.header.blocked.map(({ limit }) => limit)];
    };
    expect(await cutBy(9, 9)).toEqual([3, "policy cool: 3 objects"]);
    expect(await cutBy(2, 9)).toEqual([2, "trigger copy-lost: 2 objects"]);
    expect(await cutBy(9, 1)).toEqual([1, "policy cool: 3 objects", "this plan: 1 objects"]);
  });

  test("bind no other policy, and a removal that needs a cut copy is cut with it", async () => {
    const index = await openFixtureIndex();
    await index.put([1, 2].map((id) => ({ id, size: 10, copies: { 0: "verified" as const } })));
    const keep = own("keep", ruleOf("two", ensure(on(1, 2), 2)));
    const drop = own("drop", ruleOf("hot", { kind: "evict", from: on(0) }));
    const set = setOf(backends, keep, drop);
    const whole = await planOf(index, set);
    expect(whole.actions.filter(({ victim }) => victim !== null)).toHaveLength(2);
    const { actions } = await planOf(index, limited(set, { keep: { objects: 0 } }));
    // What is left of an object must not rest on a copy that this plan no longer makes.
    expect(actions.filter(({ victim, target }) => victim !== null && target === null)).toEqual([]);
  });
});

const bounds = fc.record(
  {
    objects: fc.nat({ max: 8 }),
    objectsShare: fc.constantFrom(0, 0.1, 0.25, 0.5, 1),
    bytes: fc.constantFrom(0, 99, 100, 350, 600, 2_000),
  },
  { requiredKeys: [] },
);

/** Random worlds whose rules belong to two policies with random limits. */
const limitedWorlds = fc
  .tuple(worlds, fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), bounds, bounds, bounds)
  .map(([world, sides, first, second, asked]) => ({
    world: {
      ...world,
      rules: world.rules
        .map(({ rule, ...rest }, at) => ({ ...rest, rule: own(sides[at] ? "a" : "b", rule) }))
        .toSorted((x, y) => (x.rule.policy < y.rule.policy ? -1 : 1)),
    } satisfies World,
    limits: { a: first, b: second },
    asked,
  }));

function within(limits: PlanLimits, actions: readonly PlanAction[], all: number): boolean {
  const objects = new Set(actions.map(({ objectId }) => objectId)).size;
  const share = limits.objectsShare ?? 1;
  return (
    objects <= (limits.objects ?? Infinity) &&
    objects <= (share === 0 ? 0 : Math.max(1, Math.floor(share * all))) &&
    actions.reduce((sum, { size }) => sum + size, 0) <= (limits.bytes ?? Infinity)
  );
}

test(
  "whatever the limits, a plan is over none of them, deterministic, and part of the unlimited one",
  {
    timeout: 1_200_000,
  },
  async () => {
    const index = await openFixtureIndex();
    await fc.assert(
      fc.asyncProperty(limitedWorlds, async ({ world, limits, asked }) => {
        await index.put(world.objects);
        const { minimumCopies } = world;
        const free = setOf(world.backends, ...world.rules.map(({ rule }) => rule));
        const set = limited(free, limits);
        const one = await planOf(index, set, { minimumCopies, limits: asked });
        const two = await planOf(index, set, { minimumCopies, limits: asked });
        const whole = await planOf(index, free, { minimumCopies });
        const all = world.objects.length;
        const of = (policy: string) =>
          one.actions.filter(({ rule }) => rule.startsWith(`${policy}/`));
        expect(within(limits.a, of("a"), all)).toBe(true);
        expect(within(limits.b, of("b"), all)).toBe(true);
        expect(within(asked, one.actions, all)).toBe(true);
        expect(two.plan.cid).toBe(one.plan.cid);
        expect(briefly(whole.actions)).toEqual(expect.arrayContaining([...briefly(one.actions)]));
        expect(planViolations(world, one.actions, 0.05)).toEqual([]);
      }),
      { numRuns: runs },
    );
  },
);

test(
  "a limit keeps the order: raising it only adds objects at the end",
  {
    timeout: 1_200_000,
  },
  async () => {
    const index = await openFixtureIndex();
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat({ max: 12 }), async (all, objects) => {
        await index.put(all.map((size, id) => ({ id, size, copies: { 0: "verified" as const } })));
        const ordered = { ...demote, order: [{ key: sql`o.size`, descending: false }] };
        const set = (most: number) =>
          limited(setOf(backends, ordered), { cool: { objects: most } });
        const whole = (await planOf(index, set(all.length))).actions.map(
          ({ objectId }) => objectId,
        );
        const { actions } = await planOf(index, set(objects));
        expect(actions.map(({ objectId }) => objectId)).toEqual(whole.slice(0, objects));
      }),
      { numRuns: runs },
    );
  },
);
