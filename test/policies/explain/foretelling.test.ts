import { expect, test } from "vitest";
import { cidOf, copyOn, objectOf, start } from "../../index/open-index.ts";
import { compiled, compiledAt, dayMs, explained, now, openReadIndex } from "./read-index.ts";

test.for([
  "now - max(created, accessed) > 400d",
  "not superseded(collection) < 400d",
  "superseded(collection) between 0d and 400d",
  "created + 400d < now",
])("the moment is foretold of %s too", async (where) => {
  const index = await openReadIndex();
  for (const number of [8, 9]) {
    const copies = [copyOn("hot")];
    const day = new Date(start.getTime() + number * dayMs);
    await index.putObjects([objectOf(number, copies, { collection: "c", created: day })], day);
  }
  await index.recordAccesses("b2", [{ object: cidOf(8), at: now, weight: 1 }]);
  const rule = `  - name: cool
    where: ${where}
    demote: {from: backend = "hot", to: backend = "cold"}`;
  const { nextChange, rules } = await explained(index, await compiled(index, rule), 8);
  const before = rules[0]?.matched;
  const turn = new Date(nextChange?.at ?? 0);
  const matchedAt = async (time: Date) =>
    (await explained(index, await compiledAt(index, rule, time), 8)).rules[0]?.matched;
  expect(turn.getTime()).toBeGreaterThan(now.getTime());
  expect(await matchedAt(turn)).toBe(before !== true);
  expect(await matchedAt(new Date(turn.getTime() - 10))).toBe(before);
});

test.for([
  // Midnight moves in steps, and neither does a larger one of two grow in a line.
  "created > midnight(now) - 400d",
  "max(idle, 1d) > 400d",
  // How often it will be read is not known.
  "age > 400d and accesses(7d) < 1",
])("of %s nothing is foretold that may not come", async (where) => {
  const index = await openReadIndex();
  const rule = `  - name: cool
    where: ${where}
    demote: {from: backend = "hot", to: backend = "cold"}`;
  const { nextChange } = await explained(index, await compiled(index, rule), 1);
  expect(nextChange).toBeUndefined();
});
