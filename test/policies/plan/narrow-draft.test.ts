import { expect, test } from "vitest";
import { testBackend } from "../demo-backends.ts";
import { openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { ensure, on, ruleOf, setOf } from "./rule-of.ts";

const backends = (["hot", "warm", "cold"] as const).map((tier, id) =>
  testBackend({ id, name: tier, tier, region: `eu-${id}` }),
);
const demote = ruleOf("cool", { kind: "demote", from: on(0), to: on(2) }, "true", {
  id: "cool/cool",
  policy: "cool",
});
const evict = ruleOf("drop", { kind: "evict", from: on(0) }, "true", {
  id: "drop/drop",
  policy: "drop",
});
const keepTwo = ruleOf("two", ensure(on(1, 2), 2), "true", { id: "keep/two", policy: "keep" });

test("a part of a plan has the actions of one policy only, and what was blocked of its rules", async () => {
  const index = await openFixtureIndex();
  await index.put([{ id: 1, copies: { 0: "verified" } }]);
  const set = setOf(backends, demote, keepTwo);
  const whole = await planOf(index, set);
  expect(briefly(whole.actions)).toEqual(["demote 1 0>2 -0", "replicate 1 0>1"]);
  const part = await planOf(index, set, { scope: { policy: "keep" } });
  expect(briefly(part.actions)).toEqual(["replicate 1 0>1"]);
  expect((await planOf(index, set, { scope: { policy: "other" } })).actions).toEqual([]);
});

test("a part that frees a backend takes the first objects that free enough, and no other", async () => {
  const index = await openFixtureIndex();
  await index.put([
    ...[1, 2, 3].map((id) => ({ id, size: 100, copies: { 0: "verified" } as const })),
    { id: 4, size: 100, copies: { 1: "verified" } },
  ]);
  const set = setOf(backends, demote);
  const freeing = async (bytes: number) => {
    const scope = { policy: "cool", free: { backend: 0, bytes } };
    return briefly((await planOf(index, set, { scope })).actions);
  };
  const all = briefly((await planOf(index, set, { scope: { policy: "cool" } })).actions);
  expect(all).toHaveLength(3);
  expect(await freeing(0)).toEqual([]);
  expect(await freeing(1)).toEqual(all.slice(0, 1));
  expect(await freeing(100)).toEqual(all.slice(0, 1));
  expect(await freeing(101)).toEqual(all.slice(0, 2));
  expect(await freeing(1_000)).toEqual(all);
});

test("a removal that rests on an action of another policy is left for later", async () => {
  const index = await openFixtureIndex();
  await index.put([
    { id: 1, copies: { 0: "verified", 1: "verified", 2: "verified" } },
    { id: 2, copies: { 0: "verified" } },
  ]);
  const set = setOf(backends, keepTwo, evict);
  const part = await planOf(index, set, { scope: { policy: "drop" } });
  const victims = part.actions.filter(({ victim }) => victim !== null);
  expect(victims.filter(({ target }) => target === null).map(({ objectId }) => objectId)).toEqual([
    1,
  ]);
});
