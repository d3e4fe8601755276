import { expect, test } from "vitest";
import type { LeftOut } from "#model/control.ts";
import type { ReadSession } from "#model/sql.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { explainObject } from "#policies/explain/explain-object.ts";
import { testBackend } from "../demo-backends.ts";
import { type FixtureIndex, type FixtureObject, openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { ensure, on, ruleOf, setOf, testNow } from "./rule-of.ts";

const backends = [0, 1, 2].map((id) =>
  testBackend({ id, name: `b${id}`, tier: "hot", region: `eu-${id}` }),
);
const tomorrow = new Date("2026-06-02T12:00:00Z");
const legalHold = "legal hold" as const;
const both = { 0: "verified", 1: "verified" } as const;

async function stage(...objects: readonly FixtureObject[]): Promise<FixtureIndex> {
  const index = await openFixtureIndex();
  await index.put(objects);
  return index;
}

async function planned(index: FixtureIndex, set: CompiledPolicySet) {
  const { plan, actions } = await planOf(index, set);
  const blocked = plan.header.blocked.map(({ reason, objects }) => `${objects} ${reason}`);
  return [...briefly(actions), ...blocked];
}

test("a copy that its backend locks is neither demoted nor copied for that", async () => {
  const copies = { 0: "verified" } as const;
  const index = await stage(
    { id: 1, copies, locks: { 0: tomorrow } },
    { id: 2, copies, locks: { 0: legalHold } },
    { id: 3, copies, locks: { 1: legalHold } },
  );
  const set = setOf(backends, ruleOf("r0", { kind: "demote", from: on(0), to: on(1) }));
  expect(await planned(index, set)).toEqual(["demote 3 0>1 -0", "2 locked"]);
});

test("a lock whose time is over holds nothing, to the very moment, though nobody looked since", async () => {
  const soon = new Date(testNow.getTime() + 1);
  const index = await stage(
    { id: 1, copies: both, locks: { 0: testNow } },
    { id: 2, copies: both, locks: { 0: soon } },
  );
  const set = setOf(backends, ruleOf("r0", { kind: "evict", from: on(0) }));
  expect(await planned(index, set)).toEqual(["evict 1 -0", "1 locked"]);
});

test("of several copies the one that is not locked goes, and the locked one is told", async () => {
  const index = await stage({ id: 1, copies: both, locks: { 0: legalHold } });
  const demote = setOf(backends, ruleOf("r0", { kind: "demote", from: on(0, 1), to: on(2) }));
  expect(await planned(index, demote)).toEqual(["demote 1 0>2 -1", "1 locked"]);
  const copies = { min: 1, max: 1 };
  const surplus = setOf(backends, ruleOf("r0", ensure(on(0, 1), 1, { copies })));
  expect(await planned(index, surplus)).toEqual(["evict 1 -1"]);
});

test("surplus and deletion leave a locked copy alone", async () => {
  const locks = { 0: legalHold, 1: tomorrow } as const;
  const index = await stage({ id: 1, copies: both, locks, tombstoned: new Date("2026-05-01") });
  const copies = { min: 1, max: 1 };
  const surplus = setOf(backends, ruleOf("r0", ensure(on(0, 1), 1, { copies })));
  expect(await planned(index, surplus)).toEqual(["1 locked"]);
  const deletion = setOf(backends, ruleOf("r0", { kind: "delete", graceMs: 0 }));
  expect(await planned(index, deletion)).toEqual(["1 locked"]);
});

test("a locked copy counts as a copy: others may rest on it", async () => {
  const index = await stage({ id: 1, copies: both, locks: { 0: legalHold } });
  const set = setOf(backends, ruleOf("r0", { kind: "evict", from: on(1) }));
  expect(await planned(index, set)).toEqual(["evict 1 -1"]);
});

test("a retry says which removals wait for a lock, and only of copies that their rule wants gone", async () => {
  const index = await stage(
    { id: 1, copies: both, locks: { 0: tomorrow } },
    { id: 2, copies: both, locks: { 1: tomorrow } },
    { id: 3, copies: { 1: "verified" }, locks: { 1: legalHold } },
    { id: 4, copies: both, locks: { 0: legalHold }, held: true },
    {
      id: 5,
      copies: both,
      locks: { 0: legalHold, 1: tomorrow },
      tombstoned: new Date("2026-05-01"),
    },
  );
  const leftOut = async (set: CompiledPolicySet, verb: string, object: number) => {
    const found: LeftOut[] = [];
    const wishes = async (session: ReadSession) => {
      const text = `CREATE OR REPLACE TEMP TABLE wished AS
        SELECT ${object} AS object_id, '${verb}' AS verb, 'test/r0' AS rule`;
      await session.run({ text, parameters: [] });
      return "wished";
    };
    const onLeftOut = (all: readonly LeftOut[]) => void found.push(...all);
    await planOf(index, set, { scope: { wishes, onLeftOut } });
    return found.map(({ reason, actions }) => `${actions} ${reason}`);
  };
  const evict = setOf(backends, ruleOf("r0", { kind: "evict", from: on(0) }));
  expect(await leftOut(evict, "evict", 1)).toEqual(["1 locked"]);
  expect(await leftOut(evict, "evict", 2)).toEqual([]);
  expect(await leftOut(evict, "evict", 3)).toEqual(["1 not-planned"]);
  expect(await leftOut(evict, "evict", 4)).toEqual(["1 not-planned"]);
  const demote = setOf(backends, ruleOf("r0", { kind: "demote", from: on(0), to: on(2) }));
  expect(await leftOut(demote, "demote", 1)).toEqual(["1 locked"]);
  const surplus = setOf(
    backends,
    ruleOf("r0", ensure(on(0, 1), 1, { copies: { min: 1, max: 1 } })),
  );
  expect(await leftOut(surplus, "evict", 5)).toEqual(["1 locked"]);
  expect(await leftOut(surplus, "evict", 3)).toEqual(["1 not-planned"]);
  expect(await leftOut(surplus, "replicate", 5)).toEqual(["1 not-planned"]);
  const deletion = setOf(backends, ruleOf("r0", { kind: "delete", graceMs: 0 }));
  expect(await leftOut(deletion, "delete", 3)).toEqual(["1 not-planned"]);
  expect(await leftOut(deletion, "delete", 5)).toEqual(["1 locked"]);
  const none = setOf(backends, ruleOf("r1", { kind: "evict", from: on(0) }));
  expect(await leftOut(none, "evict", 1)).toEqual(["1 no-rule"]);
});

test("explain says what locks a copy, until when, and when that ends", async () => {
  const index = await stage(
    { id: 1, copies: both, locks: { 0: tomorrow } },
    { id: 2, copies: both, locks: { 0: legalHold } },
  );
  const set = setOf(backends, ruleOf("r0", { kind: "evict", from: on(0) }));
  await using session = await index.session();
  const retained = await explainObject(set, session, 1);
  expect(retained.conclusion).toEqual([
    "blocked: test/r0, because the backend lets nobody remove the copy",
    "its copy on b0 is locked by the backend until 2026-06-02T12:00:00.000Z (COMPLIANCE), " +
      "as it said at 2026-05-01T00:00:00.000Z",
  ]);
  expect(retained.nextChange).toEqual({
    at: "2026-06-02T12:00:00.000Z",
    what: "the lock of b0 on its copy ends",
  });
  const held = await explainObject(set, session, 2);
  expect(held.conclusion[1]).toBe(
    "its copy on b0 is under a legal hold of the backend, as it said at 2026-05-01T00:00:00.000Z; " +
      "once it is lifted there: thermocline verify, or import inventory b0, sees it if our credentials may see locks",
  );
  expect(held.nextChange).toBeUndefined();
});

test("explain foretells the end of locks only where a blocked rule wants the copy gone", async () => {
  const refused = { refusedUntil: tomorrow };
  const index = await stage(
    { id: 1, copies: both, locks: { 0: legalHold, 1: tomorrow } },
    { id: 2, copies: both, locks: { 0: refused } },
    { id: 3, copies: both, locks: { 0: tomorrow }, tombstoned: new Date("2026-05-01") },
  );
  const evict = setOf(backends, ruleOf("r0", { kind: "evict", from: on(0) }));
  const next = async (set: CompiledPolicySet, object: number) => {
    await using session = await index.session();
    return (await explainObject(set, session, object)).nextChange;
  };
  const at = tomorrow.toISOString();
  expect(await next(evict, 1)).toBeUndefined();
  expect(await next(evict, 2)).toEqual({
    at,
    what: "the lock of b0 on its copy is asked about again",
  });
  const deletion = setOf(backends, ruleOf("r0", { kind: "delete", graceMs: 0 }));
  expect(await next(deletion, 3)).toEqual({ at, what: "the lock of b0 on its copy ends" });
});
