import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { connectionsMax } from "#drivers/contract/http-service.ts";
import { rootFacts } from "#drivers/kubo/root-facts.ts";
import { cidOf } from "../index/open-index.ts";

const roots = Array.from({ length: 1_000 }, (_, number) => cidOf(number));

const dagSizes = async () => Promise.reject(new Error("block not found"));

/** A node that cannot read one of the roots of each group, and breaks down at one root. */
function nodeThatFails(at = -1) {
  const seen = { asked: 0, underWay: 0, most: 0, ended: 0 };
  const facts = async (cid: string, signal: AbortSignal | undefined) => {
    seen.asked += 1;
    seen.underWay += 1;
    seen.most = Math.max(seen.most, seen.underWay);
    try {
      for (let turns = 0; turns < 5; turns += 1) await turn(undefined, { signal });
      if (cid === roots[at]) throw new Error("connection lost");
      return { bytes: roots.indexOf(cid), size: roots.indexOf(cid) };
    } catch (error) {
      if (signal?.aborted === true) seen.ended += 1;
      throw error;
    } finally {
      seen.underWay -= 1;
    }
  };
  return { seen, node: { facts, dagSizes } };
}

test("no more roots are asked about at a time than there are connections", async () => {
  const { seen, node } = nodeThatFails();
  const found = await rootFacts(node, roots, undefined);
  expect(found.map(({ bytes }) => bytes)).toEqual(roots.map((_, at) => at));
  expect(seen).toMatchObject({ asked: roots.length, most: connectionsMax });
});

test("the first failure ends what is under way, and is what is thrown", async () => {
  const { seen, node } = nodeThatFails(100);
  await expect(rootFacts(node, roots, undefined)).rejects.toThrow("connection lost");
  expect(seen.underWay).toBe(0);
  expect(seen.asked).toBeLessThan(100 + 2 * connectionsMax);
});
