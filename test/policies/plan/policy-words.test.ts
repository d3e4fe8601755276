import { expect, test, vi } from "vitest";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { HeatBounds } from "#policies/heat-bounds.ts";
import { compareHeatPlace } from "#policies/heat-places.ts";
import { policyWords } from "#policies/plan/policy-words.ts";
import { sql } from "#policies/sql-fragment.ts";
import { demoPair } from "./demo-pair.ts";
import { openFixtureIndex } from "./fixture-index.ts";
import { ensure, on, ruleOf, setOf, testNow } from "./rule-of.ts";

const hour = 3_600_000;
const place = "test.yaml:1:1";
const drop = ruleOf("drop", { kind: "delete", graceMs: hour }, "o.heat_weight < 5");
const held = ruleOf("held", { kind: "hold" }, "o.object_id = 3");
const two = ruleOf("two", ensure(on(0, 1), 2), "o.object_id = 2");
const cached = ruleOf("cached", ensure(on(0), 1, { forMs: hour }), "o.object_id = 5");
const down = { kind: "demote", from: on(0), to: on(1) } as const;
const cool = ruleOf("cool", down, "o.object_id = 6");
const films = ruleOf("films", down, "o.object_id = 6", { group: "collection" });

/** What selects objects of a path. */
function byPath(path: string) {
  const where = `coalesce(o.path = '${path}', false)`;
  return [where, { whereByName: sql`n.path = ${path}` }] as const;
}

async function asked(set: CompiledPolicySet, ids: readonly number[]) {
  const index = await openFixtureIndex();
  const copies = { 0: "verified", 1: "verified" } as const;
  const since = testNow;
  const leases = [{ rule: "test/cached", backend: 0, since }];
  await index.put(
    [1, 2, 3, 4, 5, 6].map((id) => ({
      id,
      heat: id === 4 ? 9 : 1,
      copies,
      ...(id === 5 ? { leases } : {}),
    })),
  );
  await using session = await index.session();
  return await policyWords(set, session, ids);
}

test("policies say of each object what holds it, what keeps it, and what must remain", async () => {
  const set = setOf(demoPair, held, two, cached, cool, films, drop);
  const words = await asked(set, [1, 2, 3, 4, 5, 6, 7]);
  const grace = { ms: hour, words: expect.stringContaining(`test/drop (${place}) gives it 1h`) };
  expect(words.get(1)).toEqual({ grace });
  expect(words.get(2)).toEqual({
    grace,
    kept: { reason: "ensure", message: `by now test/two (${place}) wants copies of it` },
    promises: [{ rule: "test/two", place, backends: "3", copies: 2, confidence: "verified" }],
  });
  expect(words.get(3)).toEqual({
    grace,
    refused: { reason: "held", message: `a hold protects the object: test/held (${place})` },
  });
  // Nobody wants these deleted: one is too hot for the rule, one is not in the index.
  const unwanted = { kept: { reason: "unwanted", message: expect.any(String) } };
  expect(words.get(4)).toEqual(unwanted);
  expect(words.get(7)).toEqual(unwanted);
  expect(words.get(5)).toMatchObject({ kept: { reason: "ensure" }, leased: 1n });
  // Of a rule for whole collections the plan knows what it promises.
  expect(words.get(6)?.promises?.map(({ rule }) => rule)).toEqual(["test/cool"]);
});

test("policies without a rule for an object keep it", async () => {
  const kept = { reason: "unwanted" };
  for (const rules of [[], [ruleOf("evict", { kind: "evict", from: on(0) })]]) {
    const words = await asked(setOf(demoPair, ...rules), [1]);
    expect(words.get(1)).toMatchObject({ kept });
  }
  expect(await asked(setOf(demoPair, drop), [])).toEqual(new Map());
});

test("a bound on heat is found once, and anew when some heat changes", async () => {
  const place = { value: sql`(hotter + 1)::BIGINT`, grows: false };
  const where = compareHeatPlace(place, "<=", 2);
  if (where === undefined) throw new Error("it is no bound");
  const hottest = { ...ruleOf("hottest", { kind: "hold" }), where };
  const index = await openFixtureIndex();
  await index.put([1, 2, 3, 4].map((id) => ({ id, heat: id })));
  const heats = new HeatBounds();
  const statements: string[] = [];
  const held = async () => {
    await using session = await index.session();
    const rows = session.rows.bind(session);
    vi.spyOn(session, "rows").mockImplementation(async (statement) => {
      statements.push(statement.text);
      return await rows(statement);
    });
    const words = await policyWords(setOf(demoPair, hottest), session, [1, 2, 3, 4], heats);
    return [...words].flatMap(([id, word]) => (word.refused === undefined ? [] : [id]));
  };
  const sorted = () => statements.splice(0).filter((text) => text.includes("hotter")).length;
  expect(await held()).toEqual([3, 4]);
  expect(sorted()).toBe(1);
  expect(await held()).toEqual([3, 4]);
  expect(sorted()).toBe(0);
  await index.run("UPDATE object SET heat_weight = 9 WHERE object_id = 1");
  expect(await held()).toEqual([1, 4]);
  await index.put([9, 2, 3, 4, 8].map((heat, at) => ({ id: at + 1, heat })));
  expect(await held()).toEqual([1]);
  // Who has which heat changes no bound.
  await index.run("UPDATE object SET heat_weight = 5 - heat_weight WHERE heat_weight IN (2, 3)");
  expect(sorted()).toBe(2);
  expect(await held()).toEqual([1]);
  expect(sorted()).toBe(0);
  await index.run("UPDATE object SET heat_weight = 0");
  expect(await held()).toEqual([1, 2, 3, 4]);
});

test("an object with several names is kept by a rule about any of them, and deleted by one about all", async () => {
  const rules = [
    ruleOf("keep", { kind: "hold" }, ...byPath("/b")),
    ruleOf("away", { kind: "delete", graceMs: hour }, ...byPath("/a")),
  ];
  const index = await openFixtureIndex();
  await index.put([
    { id: 1, names: ["/a"] },
    { id: 2, names: ["/a", "/b"] },
    { id: 3, names: ["/c"] },
  ]);
  const ask = async (ids: readonly number[]) => {
    await using session = await index.session();
    const words = await policyWords(setOf(demoPair, ...rules), session, ids);
    return ids.map((id) => [words.get(id)?.refused?.reason, words.get(id)?.kept?.reason]);
  };
  expect(await ask([1, 2, 3])).toEqual([
    [undefined, undefined],
    ["held", "unwanted"],
    [undefined, "unwanted"],
  ]);
  expect(await ask([1])).toEqual([[undefined, undefined]]);
});

test("more rules than fit into one word are told apart", async () => {
  const many = Array.from({ length: 70 }, (_, at) =>
    ruleOf(`keep-${at}`, ensure(on(1), 1), `o.object_id = ${at}`),
  );
  const words = await asked(setOf(demoPair, ...many, drop), [1, 2]);
  for (const id of [1, 2]) {
    expect(words.get(id)?.promises?.map(({ rule }) => rule)).toEqual([`test/keep-${id}`]);
    expect(words.get(id)?.grace?.ms).toBe(hour);
  }
});
