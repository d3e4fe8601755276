import { expect, test } from "vitest";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { policyWords } from "#policies/plan/policy-words.ts";
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
