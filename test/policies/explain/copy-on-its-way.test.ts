import { expect, test } from "vitest";
import { makePlan } from "../../index/make-plan.ts";
import { cidOf, temporaryFolder } from "../../index/open-index.ts";
import { compiled, explained, now, openReadIndex } from "./read-index.ts";

test("an object whose copy is on its way waits for it, and is not said to have what it wants", async () => {
  const index = await openReadIndex();
  const cold = 2;
  const object = await index.findObject(cidOf(1));
  const action = { verb: "demote", object, source: 0, target: cold, victim: 0 } as const;
  await index.beginRun(await makePlan(index, await temporaryFolder(), [action]), now);
  const set = await compiled(
    index,
    `  - name: two
    where: size > 0
    ensure: {copies: 2, on: tier = cold or tier = hot}
  - name: one
    where: size > 0
    ensure: {copies: 1, on: tier = cold or tier = hot}
  - name: down
    where: size > 0
    demote: {from: backend = "hot", to: backend = "cold"}
  - name: other
    where: size < 0
    ensure: {copies: 2}`,
  );
  const { rules, conclusion } = await explained(index, set, 1);
  const coming = "a copy on cold is on its way";
  expect(rules.map(({ result }) => result)).toEqual([
    `waits: ${coming}`,
    "satisfied: 1 verified copies (hot)",
    `waits: ${coming}`,
    "does not match",
  ]);
  expect(conclusion).toEqual([
    `waits: p/two, because ${coming}`,
    `waits: p/down, because ${coming}`,
  ]);
});
