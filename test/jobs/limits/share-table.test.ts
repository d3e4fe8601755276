import {
  array,
  assert,
  constant,
  constantFrom,
  integer,
  oneof,
  property,
  record,
} from "fast-check";
import { describe, expect, test } from "vitest";
import { shareLeaseMs, ShareTable } from "#jobs/limits/share-table.ts";

const names = ["a", "b", "c", "d"];

describe("a limit that nodes share", () => {
  test("is never given out more than once, whoever asks, comes and goes", () => {
    assert(
      property(
        array(
          record({
            node: constantFrom(...names),
            wanted: oneof(constant(Infinity), integer({ min: 0, max: 200 })),
            afterMs: integer({ min: 0, max: 3_000 }),
          }),
          { maxLength: 60 },
        ),
        (asks) => {
          const table = new ShareTable();
          const held = new Map<string, { share: number; at: number }>();
          let now = 0;
          for (const { node, wanted, afterMs } of asks) {
            now += afterMs;
            const holding = held.get(node)?.share;
            const share = table.grant({ node, wanted, holding }, 100, now) ?? Infinity;
            held.set(node, { share, at: now });
            // A node that was silent for a whole lease is down, or has nothing to do.
            const alive = [...held.values()].filter(({ at }) => now - at <= shareLeaseMs);
            expect(alive.reduce((sum, { share: own }) => sum + own, 0)).toBeLessThanOrEqual(
              100.001,
            );
          }
        },
      ),
    );
  });

  test("is divided equally within two rounds of questions, and wholly", () => {
    const table = new ShareTable();
    for (let round = 0; round < 3; round += 1) ask(table, names, Infinity, round * 1_000);
    expect(ask(table, names, Infinity, 3_000)).toEqual([25, 25, 25, 25]);
    expect(table.hungry(3_000)).toBe(true);
  });

  test("leaves to the busy what the modest do not need", () => {
    const table = new ShareTable();
    for (let now = 0; now < 4_000; now += 1_000) {
      ask(table, ["a"], 10, now);
      ask(table, ["b"], Infinity, now);
    }
    expect(table.grant({ node: "b", wanted: Infinity, holding: undefined }, 100, 4_000)).toBe(90);
    expect(table.grant({ node: "a", wanted: 10, holding: undefined }, 100, 4_000)).toBe(10);
  });

  test("of a node that is gone goes to the others when its lease has ended", () => {
    const table = new ShareTable();
    for (let now = 0; now <= 2_000; now += 1_000) ask(table, ["a", "b"], Infinity, now);
    expect(ask(table, ["a"], Infinity, 4_000)).toEqual([50]);
    expect(ask(table, ["a"], Infinity, 2_001 + shareLeaseMs)).toEqual([100]);
    expect(table.nodes(2_001 + shareLeaseMs)).toEqual(["a"]);
  });

  test("is not divided where there is none", () => {
    const table = new ShareTable();
    expect(table.grant({ node: "a", wanted: Infinity, holding: 5 }, undefined, 0)).toBeUndefined();
  });
});

function ask(table: ShareTable, nodes: readonly string[], wanted: number, now: number) {
  return nodes.map((node) => table.grant({ node, wanted, holding: undefined }, 100, now));
}
