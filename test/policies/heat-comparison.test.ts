import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SqlContext } from "#policies/attribute-definition.ts";
import heat from "#policies/attributes/heat.ts";
import { leastDouble } from "#policies/least-double.ts";
import { sql, toLiteralStatement, trusted } from "#policies/sql-fragment.ts";
import { type MemoryIndex, openMemoryIndex } from "./memory-index.ts";

let index: MemoryIndex;
beforeAll(async () => {
  index = await openMemoryIndex();
});
afterAll(() => index[Symbol.dispose]());

const number = fc.double({ noNaN: true });

test("the least double that a test holds for is found among all of them", () => {
  fc.assert(
    fc.property(number, (least) => {
      expect(leastDouble((value) => value >= least)).toBe(least === 0 ? -0 : least);
      const above = leastDouble((value) => value > least);
      expect(above > least || least === Number.POSITIVE_INFINITY).toBe(true);
    }),
    { numRuns: 2_000, seed: 125 },
  );
});

const week = 7 * 86_400_000;
const landmark = new Date("2026-01-01T00:00:00Z");

/** When a weight is asked about, from when it hardly decayed to when nothing is left of it. */
const time = fc.oneof(
  fc.integer({ min: -100, max: 100 }).map((days) => days * 86_400_000),
  fc.integer({ min: -1_100 * week, max: 1_100 * week }),
);
const weight = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.double({ min: 0, noNaN: true }));

test("heat compares as the product does to the last bit, whenever it is asked for", async () => {
  await fc.assert(
    fc.asyncProperty(
      time,
      fc.array(weight, { minLength: 1, maxLength: 8 }),
      fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      fc.constantFrom(...(["<", "<=", ">", ">="] as const)),
      async (elapsed, weights, other, operator) => {
        const settings = { landmark, halfLifeMs: week };
        const context: SqlContext = {
          now: new Date(landmark.getTime() + elapsed),
          heat: settings,
          backends: [],
          path: trusted("o.path"),
        };
        // What one of them comes to is where rounding matters.
        const product = (weights[0] ?? 0) * 2 ** -(elapsed / week);
        const constant = other ?? product;
        const compared = heat.compare?.(context, operator, constant);
        if (compared === undefined) return;
        const near = weights.flatMap((one) => neighbours(one));
        const plain = sql`${heat.sql(context)} ${trusted(operator)} ${constant}::DOUBLE`;
        const rows = await index.rows(
          toLiteralStatement(sql`SELECT heat_weight, ${compared}, ${plain}
            FROM (SELECT unnest([${trusted(near.map((one) => `${one}::DOUBLE`).join())}])
              AS heat_weight) o`),
        );
        expect(rows.map(([, bound]) => bound)).toEqual(rows.map(([, , whole]) => whole));
      },
    ),
    { numRuns: 600, seed: 125 },
  );
}, 60_000);

/** A weight with those right below and above it. */
function neighbours(value: number): readonly number[] {
  const above = leastDouble((one) => one > value);
  const below = -leastDouble((one) => one > -value);
  return [below, value, above].filter((one) => one >= 0 && Number.isFinite(one));
}
