import { expect, test } from "vitest";
import type { IndexSession } from "#index/read-session.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { planCompetitors } from "#policies/explain/plan-competitors.ts";
import { decideActions } from "#policies/plan/build-plan.ts";
import { Planning } from "#policies/plan/planning.ts";
import { trusted } from "#policies/sql-fragment.ts";
import { readWrite, testBackend } from "../demo-backends.ts";
import { openFixtureIndex } from "../plan/fixture-index.ts";
import { on, ruleOf, setOf } from "../plan/rule-of.ts";

const backends = [0, 1].map((id) =>
  testBackend({ id, name: `backend-${id}`, capabilities: readWrite }),
);
const free = [{ backend: 0, bytes: 300 }];

test("where the first objects of a mark cannot go, later ones are looked at", async () => {
  const index = await openFixtureIndex();
  await index.put(
    Array.from({ length: 40 }, (_, id) => ({
      id,
      size: 100,
      copies: { 0: "verified", 1: "verified" } as const,
      held: id < 30,
    })),
  );
  const set = setOf(backends, ruleOf("spill", { kind: "evict", from: on(0), free }, "true"));
  await using session = await index.session();
  // Thirty are held: the next three free what is needed, whichever object is asked about.
  expect(await actingBeside(30, set, session)).toEqual([30, 31, 32]);
  expect(await actingBeside(39, set, session)).toEqual([30, 31, 32]);
});

test("names are known of all objects, however often more of them are looked at", async () => {
  const index = await openFixtureIndex();
  await index.put(
    Array.from({ length: 40 }, (_, id) => ({
      id,
      size: 100,
      names: [`/a/${id}`, `/b/${id}`],
      copies: { 0: "verified", 1: "verified" } as const,
      held: id < 30,
    })),
  );
  const byName = { whereByName: trusted("n.path LIKE '/%'") };
  const verb = { kind: "evict", from: on(0), free } as const;
  const set = setOf(backends, ruleOf("spill", verb, "o.path LIKE '/%'", byName));
  await using session = await index.session();
  expect(await actingBeside(30, set, session)).toEqual([30, 31, 32]);
  expect(await actingBeside(39, set, session)).toEqual([30, 31, 32]);
});

test("a limit that others of another quota use up holds back those who come later", async () => {
  const index = await openFixtureIndex();
  await index.put(
    Array.from({ length: 14 }, (_, id) => ({
      id,
      size: 100,
      owner: id < 10 ? "a" : "b",
      copies: { 0: "verified", 1: "verified" } as const,
    })),
  );
  const verb = { kind: "evict", from: on(0), quota: { per: "owner", bytes: 200 } } as const;
  const limit = { objects: 5, bytes: undefined };
  const set = setOf(backends, ruleOf("spill", verb, "true", { limit }));
  await using session = await index.session();
  const whole = new Planning(set, session, safety);
  await decideActions(whole);
  const planned = await objectsOf(whole);
  expect(planned).toEqual([0, 1, 2, 3, 4]);
  for (const object of [0, 9, 10, 13]) {
    const acts = (await actingBeside(object, set, session)).includes(object);
    expect([object, acts]).toEqual([object, planned.includes(object)]);
  }
});

test("an object that counts for no quota is planned all the same", async () => {
  const index = await openFixtureIndex();
  const copies = { 0: "verified", 1: "verified" } as const;
  await index.put([
    { id: 0, size: 100, owner: "a", copies },
    { id: 1, size: 100, owner: "a", copies },
    { id: 2, size: 100, copies },
  ]);
  const quota = { per: "owner", bytes: 100 } as const;
  const set = setOf(
    backends,
    ruleOf("spill", { kind: "evict", from: on(0), quota }, "true"),
    ruleOf("drop", { kind: "evict", from: on(1) }, "o.object_id = 2"),
  );
  await using session = await index.session();
  expect(await actingBeside(2, set, session)).toEqual([2]);
});

const safety = { minimumCopies: 1, headRoomShare: 0.05 };

/** Objects that do something in what is planned to tell of this one. */
async function actingBeside(
  object: number,
  set: CompiledPolicySet,
  session: IndexSession,
): Promise<readonly number[]> {
  const alone = new Planning(set, session, safety);
  await decideActions(alone, { objects: [object] });
  return objectsOf(await planCompetitors(alone, object, { atLeast: 0 }));
}

async function objectsOf(planning: Planning): Promise<readonly number[]> {
  const rows = await planning.rows(trusted("SELECT DISTINCT object_id FROM plan_row ORDER BY ALL"));
  return rows.map((row) => Number(row["object_id"]));
}
