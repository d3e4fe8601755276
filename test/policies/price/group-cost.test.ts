import * as fc from "fast-check";
import { expect, test } from "vitest";
import { freeOfCharge } from "#model/backend.ts";
import { verbs } from "#model/plan.ts";
import { Planning } from "#policies/plan/planning.ts";
import { rowCost } from "#policies/price/action-cost.ts";
import { groupCost, isCostOfSums } from "#policies/price/group-cost.ts";
import { sql, toStatement, trusted } from "#policies/sql-fragment.ts";
import { testBackend } from "../demo-backends.ts";
import { openFixtureIndex } from "../plan/fixture-index.ts";
import { setOf } from "../plan/rule-of.ts";

const backend = fc.constantFrom(null, 0, 1, 2);
const row = fc.record({ size: fc.integer({ min: 0, max: 2 ** 45 }), writes: fc.boolean() });
const amount = fc.double({ min: 0, max: 10, noNaN: true });
const card = fc.record({
  perGibMonth: amount,
  perWrite: amount,
  perRead: amount,
  egressPerGib: amount,
  retrievalPerGib: amount,
});

function bytesOf(rows: readonly { readonly size: number }[]): number {
  return rows.reduce((sum, { size }) => sum + size, 0);
}

test("what a group costs by its sums is what its rows add up to", async () => {
  const index = await openFixtureIndex();
  await using session = await index.session();
  const groups = fc.record({
    verb: fc.constantFrom(...verbs),
    source: backend,
    target: backend,
    victim: backend,
    rows: fc.array(row, { minLength: 1, maxLength: 6 }),
    cards: fc.tuple(card, card, card),
  });
  await fc.assert(
    fc.asyncProperty(groups, async ({ verb, source, target, victim, rows, cards }) => {
      const backends = cards.map((charged, id) =>
        testBackend({ id, name: `backend-${id}`, price: { ...freeOfCharge, ...charged } }),
      );
      expect(isCostOfSums(backends)).toBe(true);
      const planning = new Planning(setOf(backends), session, {
        minimumCopies: 1,
        headRoomShare: 0,
      });
      const written = rows.filter(({ writes }) => writes);
      const counts = {
        actions: rows.length,
        bytes: bytesOf(rows),
        writes: written.length,
        bytesMoved: bytesOf(written),
      };
      const values = rows.map(
        ({ size, writes }) => `('${verb}', ${source}::INTEGER, ${target}::INTEGER,
          ${victim}::INTEGER, ${size}::BIGINT, ${writes})`,
      );
      const { joins, now, month } = rowCost(planning);
      const [sums] = await session.rows(
        toStatement(sql`SELECT sum(${now})::VARCHAR AS now, sum(${month})::VARCHAR AS month
          FROM (VALUES ${trusted(values.join(", "))}) r(verb, source, target, victim, size, writes)
          ${joins}`),
      );
      const together = groupCost(backends, { verb, source, target, victim, ...counts });
      expect({ now: String(together.now), month: String(together.month) }).toEqual(sums);
    }),
    { numRuns: 60 },
  );
});
