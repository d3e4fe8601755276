import { expect, test } from "vitest";
import { freeOfCharge } from "#model/backend.ts";
import { breakEvenWords } from "#model/break-even.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import type { CompiledRule } from "#policies/compiled-policy.ts";
import { explainObject } from "#policies/explain/explain-object.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { trusted } from "#policies/sql-fragment.ts";
import { testBackend } from "../demo-backends.ts";
import { openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { ensure, on, ruleOf, setOf, testNow } from "./rule-of.ts";

const gib = 2 ** 30;
const day = 86_400_000;

const hot = testBackend({
  id: 0,
  name: "hot",
  price: { ...freeOfCharge, perGibMonth: 0.02, egressPerGib: 0.06 },
});
const cold = testBackend({
  id: 1,
  name: "cold",
  tier: "cold",
  price: { ...freeOfCharge, perGibMonth: 0.005, perWrite: 0.3, minimumDurationMs: 90 * day },
});
const backends = [hot, cold];

/** Four objects of 10, 20, 30 and 40 GiB that are on hot. */
async function fourOnHot() {
  const index = await openFixtureIndex();
  await index.put(
    [10, 20, 30, 40].map((size, id) => ({
      id,
      size: size * gib,
      copies: { 0: "verified" as const },
    })),
  );
  return index;
}

function demote(more: Partial<CompiledRule> = {}): CompiledRule {
  return ruleOf("cool", { kind: "demote", from: on(0), to: on(1) }, "true", more);
}

test("what does not pay within the horizon is left, with what it would cost and save", async () => {
  const index = await fourOnHot();
  // Of n GiB: 0.3 + 0.06 n now, 0.015 n a month less: even after 4 + 20 / n months.
  const set = setOf(backends, demote({ horizonMs: 150 * day }));
  const { plan, actions } = await planOf(index, set);
  expect(briefly(actions)).toEqual(["demote 1 0>1 -0", "demote 2 0>1 -0", "demote 3 0>1 -0"]);
  expect(plan.header.blocked).toEqual([
    { rule: "test/cool", reason: "break-even", objects: 1, bytes: 10 * gib },
  ]);
  expect(plan.cost?.refused).toEqual([
    {
      rule: "test/cool",
      horizonMs: 150 * day,
      now: "0.9",
      early: "0",
      month: "-0.15",
      atMinimumSize: 0,
    },
  ]);
  await using session = await index.session();
  const { conclusion } = await explainObject(set, session, 0);
  expect(conclusion).toEqual([
    "blocked: test/cool, because it would cost 0.90 USD now for requests and transfer and save " +
      "0.15 USD a month on storage: even after 6 months; horizon 150d",
  ]);
});

test("the words tell what is left of minimum durations, and of objects that are charged as larger", () => {
  const loss = { horizonMs: 30 * day, now: "0.9", early: "0.2", month: "0.1", atMinimumSize: 2 };
  expect(breakEvenWords(loss)).toBe(
    "it would cost 0.90 USD now (0.70 USD for requests and transfer, 0.20 USD for what is left of " +
      "minimum durations) and 0.10 USD a month more for storage (2 objects are smaller than the " +
      "minimumSize of the target, and charged at that); horizon 30d",
  );
});

test("small objects that the target charges at its minimum size are counted as such", async () => {
  const index = await fourOnHot();
  const minimumBytes = 25 * gib;
  const dear = backends.map((one) =>
    one.id === 1 ? { ...one, price: { ...one.price, minimumBytes } } : one,
  );
  const { plan } = await planOf(index, setOf(dear, demote({ horizonMs: day })));
  expect(plan.cost?.refused).toMatchObject([{ early: "0", atMinimumSize: 2 }]);
});

test("without a horizon, as of a rule that is forced, everything moves", async () => {
  const index = await fourOnHot();
  const { actions } = await planOf(index, setOf(backends, demote()));
  expect(actions).toHaveLength(4);
});

test("what does not pay takes no turn from what does", async () => {
  const index = await fourOnHot();
  const bySize = { order: [{ key: trusted("o.size"), descending: false }] };
  const limit = { objects: 1, bytes: undefined };
  const rule = demote({ ...bySize, limit, horizonMs: 150 * day });
  const { actions } = await planOf(index, setOf(backends, rule));
  expect(briefly(actions)).toEqual(["demote 1 0>1 -0"]);
});

test("a copy that others need is made all the same when the move that would make it does not pay", async () => {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, size: gib, copies: { 0: "verified" } }]);
  const set = setOf(backends, demote({ horizonMs: 30 * day }), ruleOf("kept", ensure(on(1), 1)));
  const { actions } = await planOf(index, set);
  expect(briefly(actions)).toEqual(["replicate 1 0>1"]);
});

test("a copy stays while its minimum duration costs more than its going saves in the horizon", async () => {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, size: gib, copies: { 0: "verified", 1: "verified" } }]);
  const since = new Date(testNow.getTime() - 10 * day).toISOString().replace("Z", "");
  await index.run(`INSERT INTO copy BY NAME
    SELECT 1 AS object_id, 1 AS backend_id, TIMESTAMP '${since}' AS since`);
  const actionsAt = async (horizonMs: number) => {
    const evict = ruleOf("away", { kind: "evict", from: on(1) }, "true", { horizonMs });
    return briefly((await planOf(index, setOf(backends, evict))).actions);
  };
  // 80 of 90 days are left to pay for.
  expect(await actionsAt(79 * day)).toEqual([]);
  expect(await actionsAt(80 * day)).toEqual(["evict 1 -1"]);
});

test("a limit of cost takes the first objects that it pays for, and passes over what is too dear", async () => {
  const index = await fourOnHot();
  const bySize = { order: [{ key: trusted("o.size"), descending: true }] };
  const taken = async (costUsd: number) => {
    const set = { ...setOf(backends, demote(bySize)), limits: { test: { costUsd } } };
    const { plan, actions } = await planOf(index, set);
    return [actions.map(({ objectId }) => objectId), plan.cost?.now, plan.header.blocked[0]?.limit];
  };
  // They cost 2.70, 2.10, 1.50 and 0.90.
  expect(await taken(4.8)).toEqual([[3, 2], "4.8", "policy test: 4.80 USD"]);
  expect(await taken(4.799_999_999)).toEqual([[3], "2.7", "policy test: 4.80 USD"]);
  expect(await taken(2.5)).toEqual([[2], "2.1", "policy test: 2.50 USD"]);
  expect(await taken(0)).toEqual([[], "0", "policy test: 0.00 USD"]);
});

test("of limits of cost the smallest wins", async () => {
  const index = await fourOnHot();
  const set = { ...setOf(backends, demote()), limits: { test: { costUsd: 5 } } };
  const { plan } = await planOf(index, set, { limits: { costUsd: 1 } });
  expect(plan.cost?.now).toBe("0.9");
  expect(plan.header.blocked.map(({ limit }) => limit)).toEqual([
    "policy test: 5.00 USD",
    "this plan: 1.00 USD",
  ]);
});

/** A policy that moves everything, and asks when that costs more. */
function costlyPolicy(usd: string): string {
  return `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
approval: {when: cost > ${usd} USD}
rules:
  - {name: down, where: size > 0, demote: {from: tier = hot, to: tier = cold}}
`;
}

test("approval can be asked for by what a policy costs", async () => {
  const index = await fourOnHot();
  const registry = await loadAttributes();
  // In all they cost 7.20.
  const needs = async (usd: string) => {
    const { policies, diagnostics } = parsePolicies([{ file: "p", text: costlyPolicy(usd) }], {
      registry,
    });
    expect(diagnostics).toEqual([]);
    const { set } = compilePolicies(policies, setOf(backends).moment);
    return (await planOf(index, set)).plan.header.approvals?.length ?? 0;
  };
  expect([await needs("7.19"), await needs("7.20")]).toEqual([1, 0]);
});
