import * as fc from "fast-check";
import { expect, test } from "vitest";
import { backendFacts, cidOf, copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { planAndDo } from "./tier-moves.ts";

const hour = 3_600_000;
const dwell = 72 * hour;
const objects = [0, 1, 2];

/** Thresholds far apart, and a half-life so short that heat crosses both within a day. */
const policy = (rest: string): string => `
apiVersion: thermocline/v1
kind: Policy
metadata: {name: tiers, owner: test}
rules:
  - name: cool
    where: heat < 0.5
    demote: {from: tier = hot, to: tier = cold${rest}}
  - name: warm-up
    where: heat >= 2
    promote: {from: tier = cold, to: tier = hot${rest}}
`;

async function openTiers() {
  let now = start;
  const options = { heatHalfLifeMs: 6 * hour, now: () => now };
  const { index, folder } = await openIndex([], options);
  await index.syncBackends([
    { ...backendFacts("hot"), tier: "hot" },
    { ...backendFacts("cold"), tier: "cold" },
  ]);
  await index.putObjects(
    objects.map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  let batches = 0;
  return {
    index,
    pass: (hours: number) => (now = new Date(now.getTime() + hours * hour)),
    read: async (object: number, times: number) => {
      const reads = Array.from({ length: times }, () => ({
        object: cidOf(object),
        at: now,
        weight: 1,
      }));
      batches += 1;
      await index.recordAccesses(`batch ${batches}`, reads);
    },
    heat: async (object: number) => (await index.objectDetail(object, now)).heat,
    move: async (text: string) => {
      const actions = await planAndDo(index, folder, text, now);
      return actions.map(({ objectId, verb }) => ({ objectId, verb, at: now.getTime() }));
    },
  };
}

test("without a dwell an object that is read in bursts moves with every burst", async () => {
  const { pass, read, move } = await openTiers();
  const verbs: string[] = [];
  for (let burst = 0; burst < 3; burst += 1) {
    for (const moved of await move(policy(""))) if (moved.objectId === 0) verbs.push(moved.verb);
    await read(0, 3);
    for (const moved of await move(policy(""))) if (moved.objectId === 0) verbs.push(moved.verb);
    pass(24);
  }
  expect(verbs).toEqual(["demote", "promote", "demote", "promote", "demote", "promote"]);
});

test("no object moves twice within its dwell, whatever is read and whenever it is planned", async () => {
  const step = fc.record({
    hours: fc.integer({ min: 0, max: 30 }),
    object: fc.constantFrom(...objects),
    reads: fc.constantFrom(0, 1, 3, 8),
  });
  let moves = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 12 }), async (steps) => {
      const tiers = await openTiers();
      const last = new Map<number, { readonly at: number; readonly verb: string }>();
      for (const { hours, object, reads } of steps) {
        tiers.pass(hours);
        await tiers.read(object, reads);
        for (const { objectId, verb, at } of await tiers.move(policy(", dwell: 3d"))) {
          const before = last.get(objectId);
          expect(at - (before?.at ?? -Infinity)).toBeGreaterThanOrEqual(dwell);
          // And within the band between the thresholds nothing moves at all.
          const heat = await tiers.heat(objectId);
          expect(heat < 0.5 || heat >= 2).toBe(true);
          expect(verb).toBe(heat < 0.5 ? "demote" : "promote");
          expect(verb).not.toBe(before?.verb);
          last.set(objectId, { at, verb });
          moves += 1;
        }
      }
      expect(await tiers.index.checkSummaries()).toEqual([]);
    }),
    { numRuns: 4, seed: 4 },
  );
  expect(moves).toBeGreaterThan(12);
});

test("what dwells moves when its time is over, and the index says since when it dwells", async () => {
  const { index, pass, read, move } = await openTiers();
  const text = policy(", dwell: 3d");
  expect(await move(text)).toHaveLength(3);
  await using session = await index.session();
  const rows = await session.rows({ text: "SELECT moved FROM object", parameters: [] });
  expect(rows).toEqual(objects.map(() => ({ moved: start })));
  pass(71);
  await read(1, 9);
  expect(await move(text)).toEqual([]);
  pass(1);
  expect(await move(text)).toMatchObject([{ objectId: 1, verb: "promote" }]);
});
