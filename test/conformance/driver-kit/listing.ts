import { expect } from "vitest";
import type { Driver } from "#model/driver.ts";
import type { KitTest } from "./kit-test.ts";
import { bodyFor, formFor, type Sample, sample, sizesOf } from "../sample-object.ts";

const objects = 25;

/** A listing names everything once, in the same order each time, and can be taken up anywhere. */
export function listingTests(): readonly KitTest[] {
  return [
    {
      name: "lists nothing in an empty place",
      run: async ({ driver }) => {
        expect(await Array.fromAsync(driver.list())).toEqual([]);
      },
    },
    {
      name: "lists every copy with its size, in a stable order",
      run: async ({ driver, open }) => {
        const stored = await fill(driver);
        const listed = await Array.fromAsync(driver.list());
        expect(listed.map((entry) => entry.cid).toSorted()).toEqual(
          stored.map(({ object }) => object.cid).toSorted(),
        );
        for (const { object } of stored) {
          const entry = listed.find(({ cid }) => cid === object.cid);
          expect(entry).toMatchObject({ copy: await driver.stat(object) });
          expect(sizesOf(formFor(driver), object.size)).toContain(entry?.size);
        }
        expect(await Array.fromAsync((await open()).list())).toEqual(listed);
      },
    },
    {
      name: "goes on after the cursor of any entry",
      run: async ({ driver }) => {
        await fill(driver);
        const listed = await Array.fromAsync(driver.list());
        for (const [position, { cursor }] of listed.entries()) {
          const rest = await Array.fromAsync(driver.list({ cursor }));
          expect(rest).toEqual(listed.slice(position + 1));
        }
      },
    },
    {
      name: "stops listing when the consumer has enough",
      run: async ({ driver }) => {
        await fill(driver);
        const seen: string[] = [];
        for await (const { cid } of driver.list()) {
          seen.push(cid);
          if (seen.length === 3) break;
        }
        expect(new Set(seen).size).toBe(3);
      },
    },
  ];
}

async function fill(driver: Driver): Promise<readonly Sample[]> {
  const stored = Array.from({ length: objects }, (_, seed) => sample(100 + seed, seed + 1));
  await Promise.all(stored.map((one) => driver.write(one.object, bodyFor(driver, one))));
  return stored;
}
