import { expect, test } from "vitest";
import type { Backend } from "#model/backend.ts";
import { testBackend } from "../demo-backends.ts";
import { type FixtureObject, openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { ensure, on, ruleOf, setOf } from "./rule-of.ts";

const euA = testBackend({ id: 0, name: "eu-a", tier: "hot", region: "eu" });
const euB = testBackend({ id: 1, name: "eu-b", tier: "warm", region: "eu" });
const usA = testBackend({ id: 2, name: "us-a", tier: "warm", region: "us" });
const usB = testBackend({ id: 3, name: "us-b", tier: "cold", region: "us" });
const euC = testBackend({ id: 4, name: "eu-c", tier: "cold", region: "eu" });
const two = ruleOf("two", ensure(on(0, 1, 2, 3), 2, { per: "region" }));
const evict = (from: bigint) => ruleOf("free", { kind: "evict", from });

async function plan(
  backends: readonly Backend[],
  object: Omit<FixtureObject, "id">,
  ...rules: readonly ReturnType<typeof ruleOf>[]
) {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, ...object }]);
  const { plan, actions } = await planOf(index, setOf(backends, ...rules));
  const blocked = plan.header.blocked.map(({ rule, reason }) => `${rule} ${reason}`);
  return { actions: briefly(actions), blocked, rows: actions };
}

test("the only copy in a region stays, though as many copies would remain", async () => {
  const copies = { 0: "verified", 1: "verified", 2: "verified" } as const;
  expect(await plan([euA, euB, usA], { copies }, two, evict(on(2)))).toMatchObject({
    actions: [],
    blocked: ["test/free ensure"],
  });
  const other = await plan([euA, euB, usA], { copies }, two, evict(on(1)));
  expect(other.actions).toEqual(["evict 1 -1"]);
  expect(other.rows[0]?.requirements).toEqual([
    {
      rule: "test/two",
      backends: "15",
      copies: 2,
      confidence: "verified",
      spread: { per: "region", values: 2, groups: ["3", "4"] },
    },
  ]);
});

test("an unproven copy that would spread the others is checked, not removed", async () => {
  const copies = { 0: "verified", 1: "verified", 2: "listed" } as const;
  const { actions } = await plan([euA, euB, usA], { copies }, two, evict(on(2)));
  expect(actions).toEqual(["replicate 1 0>2"]);
});

test("copies that lie together get one elsewhere, and what is too many goes after it", async () => {
  const copies = { 0: "verified", 1: "verified" } as const;
  const { actions } = await plan([euA, euB, usA], { copies }, two);
  expect(actions).toEqual(["replicate 1 0>2"]);
  const exactly = ruleOf(
    "exactly",
    ensure(on(0, 1, 2), 2, { per: "region", copies: { min: 2, max: 2 } }),
  );
  const moved = await plan([euA, euB, usA], { copies }, exactly);
  expect(moved.actions).toHaveLength(1);
  expect(moved.actions[0]).toMatch(/^(demote|promote) 1 0>2 -[01]$/);
});

test("a region without room leaves copies together, and says so once", async () => {
  const copies = { 0: "verified", 1: "verified" } as const;
  const full = { ...usA, capacityBytes: 1_000, freeBytes: 0 };
  const away = { ...usA, cordoned: true };
  expect(await plan([euA, euB, full], { copies }, two)).toMatchObject({
    actions: [],
    blocked: ["test/two capacity"],
  });
  expect(await plan([euA, euB, away], { copies }, two)).toMatchObject({
    actions: [],
    blocked: ["test/two cordon"],
  });
  // Enough of them still are made, if not where they should be.
  const one = await plan([euA, euB, away], { copies: { 0: "verified" } }, two);
  expect(one).toMatchObject({ actions: ["replicate 1 0>1"], blocked: ["test/two cordon"] });
});

test("with fewer regions than copies, the rule is kept when each region has one", async () => {
  const three = ruleOf("three", ensure(on(0, 1, 2, 4), 3, { per: "region" }));
  const backends = [euA, euB, usA, euC];
  const spread = { 0: "verified", 1: "verified", 2: "verified" } as const;
  expect(await plan(backends, { copies: spread }, three)).toMatchObject({
    actions: [],
    blocked: [],
  });
  const together = { 0: "verified", 1: "verified", 4: "verified" } as const;
  expect((await plan(backends, { copies: together }, three)).actions).toEqual(["replicate 1 0>2"]);
});

test("where copies lie together already, one that shares its region may go", async () => {
  const copies = { 0: "verified", 1: "verified", 4: "verified" } as const;
  const away = { ...usA, cordoned: true };
  const rule = ruleOf("two", ensure(on(0, 1, 2, 4), 2, { per: "region" }));
  const { actions } = await plan([euA, euB, euC, away], { copies }, rule, evict(on(4)));
  expect(actions).toEqual(["evict 1 -4"]);
});

test("a demote goes where the copies it leaves stay spread", async () => {
  const cool = ruleOf("cool", { kind: "demote", from: on(0), to: on(3, 4) });
  const backends = [euA, usA, usB, euC];
  const rule = ruleOf("two", ensure(on(0, 2, 3, 4), 2, { per: "region" }));
  const copies = { 0: "verified", 2: "verified" } as const;
  const index = await openFixtureIndex();
  const objects = Array.from({ length: 12 }, (_, id) => ({ id, copies }));
  await index.put(objects);
  const { actions } = await planOf(index, setOf(backends, rule, cool));
  expect(briefly(actions)).toEqual(objects.map(({ id }) => `demote ${id} 0>4 -0`));
});

test("labels spread as regions do, and backends without one are one value", async () => {
  const backends = [euA, euB, { ...usA, labels: { rack: "r1" } }];
  const rule = ruleOf("racks", ensure(on(0, 1, 2), 2, { per: "labels.rack" }));
  const copies = { 0: "verified", 1: "verified" } as const;
  expect((await plan(backends, { copies }, rule)).actions).toEqual(["replicate 1 0>2"]);
  const spread = { ...copies, 2: "verified" } as const;
  expect((await plan(backends, { copies: spread }, rule, evict(on(2)))).actions).toEqual([]);
});
