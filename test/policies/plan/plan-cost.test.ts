import { array, assert, asyncProperty, integer } from "fast-check";
import { expect, test } from "vitest";
import { freeOfCharge } from "#model/backend.ts";
import { usdText } from "#model/money.ts";
import { testBackend } from "../demo-backends.ts";
import { openFixtureIndex } from "./fixture-index.ts";
import { planOf } from "./plan-of.ts";
import { ensure, on, ruleOf, setOf, testNow } from "./rule-of.ts";

const gib = 2 ** 30;
const day = 86_400_000;

const hot = testBackend({
  id: 0,
  name: "hot",
  price: { ...freeOfCharge, perGibMonth: 0.023, perRead: 0.000_000_4, egressPerGib: 0.09 },
});
const cold = testBackend({
  id: 1,
  name: "cold",
  tier: "cold",
  price: {
    ...freeOfCharge,
    perGibMonth: 0.004,
    perWrite: 0.000_02,
    retrievalPerGib: 0.01,
    egressPerGib: 0.09,
    minimumDurationMs: 90 * day,
    minimumBytes: 128 * 1024,
  },
});
const backends = [hot, cold];
const demote = ruleOf("cool", { kind: "demote", from: on(0), to: on(1) });

test("a demotion is priced as the price cards say, to the last digit", async () => {
  const index = await openFixtureIndex();
  await index.put([
    { id: 1, size: 10 * gib, copies: { 0: "verified" } },
    { id: 2, size: 1024, copies: { 0: "verified" } },
  ]);
  const { plan } = await planOf(index, setOf(backends, demote));
  // Read: 2 x 0.0000004, egress 10 x 0.09 and 1/1048576 of 0.09; written: 2 x 0.00002.
  // A month: 10 x (0.004 - 0.023), and of 1 KiB: 128 KiB at 0.004 less 1 KiB at 0.023.
  expect(plan.cost).toEqual({
    currency: "USD",
    now: "0.900040886",
    month: "-0.189999534",
    groups: [{ now: "0.900040886", month: "-0.189999534" }],
  });
});

test("a copy that goes before its minimum duration is charged for what is left of it", async () => {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, size: 2 * gib, copies: { 0: "verified", 1: "verified" } }]);
  const since = new Date(testNow.getTime() - 60 * day).toISOString().replace("Z", "");
  await index.run(`INSERT INTO copy BY NAME
    SELECT 1 AS object_id, 1 AS backend_id, TIMESTAMP '${since}' AS since`);
  const evict = ruleOf("away", { kind: "evict", from: on(1) });
  const { plan } = await planOf(index, setOf(backends, evict));
  // 30 days of 2 GiB at 0.004 are left, which is a month.
  expect(plan.cost).toMatchObject({ now: "0.008", month: "-0.008" });
});

test("what goes back is paid with retrieval, and a check in place costs nothing", async () => {
  const index = await openFixtureIndex();
  await index.put([
    { id: 1, size: gib, copies: { 1: "verified" } },
    { id: 2, size: gib, copies: { 0: "listed", 1: "verified" } },
  ]);
  const { plan, actions } = await planOf(
    index,
    setOf(backends, ruleOf("both", ensure(on(0, 1), 2))),
  );
  expect(actions).toHaveLength(2);
  expect(plan.cost).toMatchObject({ now: "0.1", month: "0.023" });
});

test("without prices a plan says nothing of cost", async () => {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, copies: { 0: "verified" } }]);
  const free = backends.map((backend) => ({ ...backend, price: freeOfCharge }));
  const { plan, actions } = await planOf(index, setOf(free, demote));
  expect(actions).toHaveLength(1);
  expect(plan.cost).toBeUndefined();
});

test("the same change has the same CID when it gets cheaper with time", async () => {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, size: gib, copies: { 0: "verified", 1: "verified" } }]);
  await index.run(`INSERT INTO copy BY NAME
    SELECT 1 AS object_id, 1 AS backend_id, TIMESTAMP '2026-05-31' AS since`);
  const set = setOf(backends, ruleOf("away", { kind: "evict", from: on(1) }));
  const later = { ...set, moment: { ...set.moment, now: new Date(testNow.getTime() + day) } };
  const [first, second] = [await planOf(index, set), await planOf(index, later)];
  expect(second.plan.cid).toBe(first.plan.cid);
  expect(Number(second.plan.cost?.now)).toBeLessThan(Number(first.plan.cost?.now));
});

test("a total is what its rows add up to, and grows with their bytes", async () => {
  const index = await openFixtureIndex();
  const set = setOf(backends, demote);
  const nowOf = async (sizes: readonly number[]) => {
    await index.put(sizes.map((size, at) => ({ id: at + 1, size, copies: { 0: "verified" } })));
    return (await planOf(index, set)).plan.cost?.now;
  };
  const size = integer({ min: 1, max: 2 ** 40 });
  await assert(
    asyncProperty(array(size, { minLength: 1, maxLength: 9 }), size, async (sizes, more) => {
      const total = await nowOf(sizes);
      // In billionths: 0.09 a GiB of egress, 400 and 20,000 for the requests; rounded once, at 2^-30.
      const exact = sizes.reduce((sum, bytes) => sum + BigInt(bytes) * 90_000_000n, 0n);
      const requests = BigInt(sizes.length) * 20_400n;
      expect(total).toBe(usdText(requests + (exact + 2n ** 29n) / 2n ** 30n));
      const [first = 1, ...rest] = sizes;
      expect(Number(await nowOf([first + more, ...rest]))).toBeGreaterThanOrEqual(Number(total));
    }),
    { numRuns: 3 },
  );
});
