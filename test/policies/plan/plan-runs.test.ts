import { expect, test } from "vitest";
import type { CompiledRun } from "#policies/compiled-policy.ts";
import { demoPair } from "./demo-pair.ts";
import { type FixtureObject, openFixtureIndex } from "./fixture-index.ts";
import { planOf } from "./plan-of.ts";
import { on, ruleOf, setOf, testNow } from "./rule-of.ts";

const day = 86_400_000;
const daysAgo = (days: number) => new Date(testNow.getTime() - days * day);
const checked = (everyMs?: number): CompiledRun => ({
  kind: "run",
  order: { action: "verify" },
  on: on(0, 1),
  ...(everyMs === undefined ? {} : { everyMs }),
});
const tagged: CompiledRun = {
  kind: "run",
  order: { action: "tag", add: ["seen"], remove: ["new"], set: { by: "policy" } },
  on: 0n,
};

/** Copies as `backend: days since a full check`, or null when there was none. */
type Checks = Readonly<Record<number, number | null>>;

async function planned(
  objects: readonly (FixtureObject & { readonly checks?: Checks; readonly tags?: string[] })[],
  verb: CompiledRun,
  more: Parameters<typeof ruleOf>[3] = {},
) {
  const index = await openFixtureIndex();
  await index.put(objects);
  for (const { id, checks = {}, tags = [] } of objects) {
    for (const [backend, days] of Object.entries(checks)) {
      const at = days === null ? "NULL" : `'${daysAgo(days).toISOString()}'`;
      await index.run(`INSERT INTO copy (object_id, backend_id, state, verified_at)
        VALUES (${id}, ${backend}, 'present', ${at})`);
    }
    for (const tag of tags) await index.run(`INSERT INTO tag VALUES (${id}, '${tag}')`);
  }
  await index.run(`UPDATE object SET oldest_verified =
    (SELECT min(verified_at) FROM copy c WHERE c.object_id = object.object_id)`);
  const { plan, actions } = await planOf(index, setOf(demoPair, ruleOf("run", verb, "true", more)));
  return {
    plan,
    brief: actions.map(({ verb: done, objectId, source }) => [done, objectId, source]),
  };
}

const both = { 0: "verified", 1: "verified" } as const;

test("verify names each copy that was not fully checked for as long as the rule says", async () => {
  const objects = [
    { id: 1, copies: both, checks: { 0: 40, 1: 10 } },
    { id: 2, copies: both, checks: { 0: 29, 1: 5 } },
    { id: 3, copies: { 0: "listed" as const }, checks: { 0: null } },
  ];
  const { plan, brief } = await planned(objects, checked(30 * day));
  expect(brief).toEqual([
    ["verify", 1, 0],
    ["verify", 3, 0],
  ]);
  expect(plan.header.orders).toEqual({ "test/run": { action: "verify" } });
  expect(plan.header.guards.every(({ passed }) => passed)).toBe(true);
});

test("without every: verify is about copies that never were checked, each once", async () => {
  const never = { id: 1, copies: { 0: "listed" as const }, checks: { 0: null } };
  const old = { id: 2, copies: both, checks: { 0: 400, 1: 400 } };
  expect((await planned([never, old], checked())).brief).toEqual([["verify", 1, 0]]);
  // What this backend can check is less than everything: it did so, and that counts.
  const done = [{ rule: "test/run", backend: 0, since: daysAgo(1) }];
  expect((await planned([{ ...never, leases: done }], checked())).brief).toEqual([]);
  expect((await planned([{ ...never, leases: done }], checked(2 * day))).brief).toEqual([]);
  expect((await planned([{ ...never, leases: done }], checked(day))).brief).toHaveLength(1);
});

test("tag names only objects whose tags differ from what the rule wants", async () => {
  const objects = [
    { id: 1, tags: ["new"] },
    { id: 2, tags: ["seen", "by=policy", "other"] },
    { id: 3, tags: ["seen", "by=policy", "by=hand"] },
    { id: 4, tags: ["seen", "by=policy", "new"] },
  ].map((object) => ({ ...object, copies: both, checks: { 0: 1, 1: 1 } }));
  const { brief } = await planned(objects, tagged);
  expect(brief).toEqual([1, 3, 4].map((id) => ["tag", id, null]));
});

test("limits and order of the rule count what it has run", async () => {
  const objects = [1, 2, 3].map((id) => ({ id, copies: both, checks: { 0: 40, 1: 40 } }));
  const limit = { objects: 2, bytes: undefined };
  const { plan, brief } = await planned(objects, checked(30 * day), { limit });
  expect(brief.map(([, id]) => id)).toEqual([1, 2, 1, 2]);
  expect(plan.header.blocked).toMatchObject([{ rule: "test/run", reason: "limit", objects: 1 }]);
});

test("export-car reads the surest copy on the warmest backend, and says so where none can be read", async () => {
  const order = { action: "export-car", folder: "handover" } as const;
  const objects = [
    { id: 1, copies: both },
    { id: 2, copies: { 0: "listed" as const, 1: "verified" as const } },
    { id: 3, copies: {} },
  ];
  const { plan, brief } = await planned(objects, { kind: "run", order, on: 0n });
  expect(brief).toEqual([
    ["export-car", 1, 0],
    ["export-car", 2, 1],
  ]);
  expect(plan.header.blocked).toMatchObject([{ reason: "no-source", objects: 1 }]);
  expect(plan.header.orders).toMatchObject({ "test/run": order });
});
