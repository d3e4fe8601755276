import { expect, test } from "vitest";
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
