import { array, assert, asyncProperty, integer } from "fast-check";
import { describe, expect, test } from "vitest";
import { freeOfCharge } from "#model/backend.ts";
import type { Budget } from "#model/budget.ts";
import { sharesOf } from "#model/cost-sql.ts";
import { trusted } from "#policies/sql-fragment.ts";
import { testBackend } from "../demo-backends.ts";
import { openFixtureIndex } from "./fixture-index.ts";
import { planOf } from "./plan-of.ts";
import { on, ruleOf, setOf, testNow } from "./rule-of.ts";

const gib = 2 ** 30;
const backends = [
  testBackend({ id: 0, name: "hot", price: { ...freeOfCharge, egressPerGib: 1 } }),
  testBackend({ id: 1, name: "cold", tier: "cold" }),
];
const bySize = { order: [{ key: trusted("o.size"), descending: true }] };
const demote = {
  ...ruleOf("down", { kind: "demote", from: on(0), to: on(1) }),
  policy: "cool",
  id: "cool/down",
  ...bySize,
};

/** Objects of so many GiB on hot: each costs as many dollars. */
async function onHot(...sizes: readonly number[]) {
  const index = await openFixtureIndex();
  await index.put(
    sizes.map((size, id) => ({ id, size: size * gib, copies: { 0: "verified" as const } })),
  );
  return index;
}

type Index = Awaited<ReturnType<typeof onHot>>;

async function spend(index: Index, policy: string, day: string | null, usd: number) {
  const on = day === null ? "NULL" : `DATE '${day}'`;
  await index.run(`INSERT INTO spending BY NAME
    SELECT '${policy}' AS policy, ${on} AS day, ${sharesOf(usd)}::DECIMAL(38, 0) AS shares`);
}

async function taken(index: Index, budget: Budget) {
  const set = { ...setOf(backends, demote), limits: { cool: { budget } } };
  const { plan, actions } = await planOf(index, set);
  return { plan, objects: actions.map(({ objectId }) => objectId) };
}

const today = testNow.toISOString().slice(0, 10);

describe("a budget", () => {
  test("counts what its policy has paid in the period and what its runs have reserved", async () => {
    const index = await onHot(4, 3, 2, 1);
    await spend(index, "cool", today, 2);
    await spend(index, "cool", null, 1);
    await spend(index, "cool", "2020-01-31", 100);
    await spend(index, "other", today, 100);
    const { plan, objects } = await taken(index, { usd: 10, per: "month" });
    expect(objects).toEqual([0, 1]);
    expect(plan.header.budgets).toEqual([
      { of: "policy cool", policy: "cool", usd: 10, per: "month" },
    ]);
    expect(plan.cost?.budgets).toMatchObject([{ settled: "2", reserved: "1", left: "7" }]);
    expect(plan.header.blocked).toEqual([
      {
        rule: "cool/down",
        reason: "budget",
        objects: 2,
        bytes: 3 * gib,
        limit: "policy cool: 10.00 USD/month, 2.00 USD settled, 1.00 USD reserved, 7.00 USD left",
      },
    ]);
  });

  test("holds back nothing that is free, even when all of it and more is spent", async () => {
    const index = await onHot(3, 2);
    await index.put([{ id: 7, size: 1, copies: { 0: "verified", 1: "verified" } }]);
    await spend(index, "cool", today, 12);
    expect((await taken(index, { usd: 10, per: "month" })).objects).toEqual([7]);
  });

  test("stops at what is too much now, and passes over what it never has enough for", async () => {
    const index = await onHot(12, 8, 2);
    await spend(index, "cool", today, 5);
    expect((await taken(index, { usd: 10, per: "day" })).objects).toEqual([]);
    const fresh = await onHot(12, 8, 2);
    expect((await taken(fresh, { usd: 10, per: "day" })).objects).toEqual([1, 2]);
  });

  test("that is overspent leaves nothing, and says so", async () => {
    const index = await onHot(1);
    await spend(index, "cool", today, 11);
    const { plan, objects } = await taken(index, { usd: 10, per: "week" });
    expect(objects).toEqual([]);
    expect(plan.cost?.budgets).toMatchObject([{ settled: "11", left: "0" }]);
  });

  test("asked for with the plan counts all policies; the smallest of all bounds wins", async () => {
    const index = await onHot(3, 2, 1);
    await spend(index, "other", today, 4);
    const limits = { cool: { costUsd: 5 } };
    const set = { ...setOf(backends, demote), limits };
    const { actions } = await planOf(index, set, { limits: { budget: { usd: 7, per: "month" } } });
    expect(actions.map(({ objectId }) => objectId)).toEqual([0]);
  });

  test("is none where nothing has a price", async () => {
    const index = await onHot(3);
    const free = backends.map((backend) => ({ ...backend, price: freeOfCharge }));
    const limits = { cool: { budget: { usd: 0, per: "month" as const } } };
    const { plan, actions } = await planOf(index, { ...setOf(free, demote), limits });
    expect(actions).toHaveLength(1);
    expect(plan.header.budgets).toBeUndefined();
  });

  test("is kept by the first in order that fit, whatever was spent before", async () => {
    await assert(
      asyncProperty(
        array(integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
        integer({ min: 0, max: 20 }),
        integer({ min: 0, max: 20 }),
        async (sizes, spent, usd) => {
          const index = await onHot(...sizes);
          await spend(index, "cool", today, spent);
          const { objects } = await taken(index, { usd, per: "month" });
          const order = sizes
            .map((size, id) => ({ size, id }))
            .toSorted((a, b) => b.size - a.size || a.id - b.id)
            .filter(({ size }) => size <= usd);
          const fitting: number[] = [];
          let left = usd - spent;
          for (const { size, id } of order) {
            left -= size;
            if (left < 0) break;
            fitting.push(id);
          }
          expect(objects.toSorted((a, b) => a - b)).toEqual(fitting.toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 8 },
    );
  });
});
