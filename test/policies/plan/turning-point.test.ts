import { expect, test } from "vitest";
import type { CompiledRule, CompiledVerb } from "#policies/compiled-policy.ts";
import { trusted } from "#policies/sql-fragment.ts";
import { demoPair } from "./demo-pair.ts";
import { type FixtureObject, openFixtureIndex } from "./fixture-index.ts";
import { planOf } from "./plan-of.ts";
import { on, ruleOf, setOf } from "./rule-of.ts";

const heats = [3, 0, 1, 0, 9, 1, 2, 1, 9, 3];
const size = 100;
const objects = heats.map((heat, id): FixtureObject => {
  return { id, size, heat, copies: { 0: "verified", 1: "verified" } };
});
const day = "make_timestamp((o.heat_weight * 86400e6)::BIGINT)";

test.each([
  ["heat", "o.heat_weight"],
  ["time", `CASE WHEN o.heat_weight < 9 THEN ${day} END`],
  [
    "time without an end",
    `CASE o.heat_weight WHEN 0 THEN '-infinity'::TIMESTAMP
      WHEN 9 THEN 'infinity'::TIMESTAMP ELSE ${day} END`,
  ],
  ["whole number beyond doubles", "9007199254740992 + o.heat_weight::BIGINT"],
  ["number far from all others", "CASE o.heat_weight WHEN 9 THEN 1e18 ELSE o.heat_weight END"],
])("of the first by %s as many go as are needed, however many there are", async (_, key) => {
  const index = await openFixtureIndex();
  await index.put(objects);
  const planned = async (verb: CompiledVerb, more: Partial<CompiledRule>) => {
    const set = setOf(demoPair, ruleOf("relieve", verb, "true", more));
    const few = await planOf(index, set);
    const many = await planOf(index, set, { manyFrom: 0 });
    expect(many).toEqual(few);
    return few.actions.length;
  };
  for (const descending of [false, true]) {
    const order = [{ key: trusted(key), descending }];
    for (const bytes of [1, 100, 250, 450, 650, 850, 1_000, 5_000]) {
      const free = [{ backend: 0, bytes }];
      const toMark = await planned({ kind: "evict", from: on(0), free }, { order });
      expect(toMark).toBe(Math.min(heats.length, Math.ceil(bytes / size)));
      const limit = { objects: Math.ceil(bytes / 200), bytes: undefined };
      const limited = await planned({ kind: "evict", from: on(0) }, { order, limit });
      expect(limited).toBe(Math.min(heats.length, limit.objects));
    }
  }
});
