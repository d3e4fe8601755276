import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  nat,
  oneof,
  record,
  uniqueArray,
} from "fast-check";
import { expect, test } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";

test("objects that are put twice are known the second time and their copies are merged", async () => {
  const { index } = await openIndex();
  const first = await index.putObjects(
    [objectOf(1, [copyOn("hot")]), objectOf(2, [copyOn("warm", "listed")])],
    start,
  );
  expect(first).toEqual({ added: 2, known: 0, copies: 2, beingDeleted: [] });
  const later = new Date(start.getTime() + 1_000);
  const second = await index.putObjects(
    [objectOf(2, [copyOn("warm", "claimed", later), copyOn("cold")]), objectOf(3), objectOf(3)],
    later,
  );
  expect(second).toEqual({ added: 1, known: 2, copies: 1, beingDeleted: [] });
  await using session = await index.session();
  const rows = await session.rows({
    text: `SELECT object_id, size, path, names, present_mask, listed_mask, verified_mask
           FROM object ORDER BY object_id`,
    parameters: [],
  });
  expect(rows).toEqual([
    row(0, 1_001, "/data/1.bin", 1n, 1n, 1n),
    row(1, 1_002, "/data/2.bin", 6n, 6n, 4n),
    row(2, 1_003, "/data/3.bin", 0n, 0n, 0n),
  ]);
  const copies = await session.rows({
    text: "SELECT object_id, backend, state, confidence, form FROM copy ORDER BY ALL",
    parameters: [],
  });
  expect(copies).toEqual([
    { object_id: 0, backend: "hot", state: "present", confidence: "verified", form: "file" },
    { object_id: 1, backend: "cold", state: "present", confidence: "verified", form: "file" },
    { object_id: 1, backend: "warm", state: "present", confidence: "listed", form: "file" },
  ]);
  expect(await index.checkSummaries()).toEqual([]);
});

function row(
  id: number,
  size: number,
  path: string,
  present: bigint,
  listed: bigint,
  verified: bigint,
): unknown {
  return {
    object_id: id,
    size,
    path,
    names: 1,
    present_mask: Number(present),
    listed_mask: Number(listed),
    verified_mask: Number(verified),
  };
}

test("an object known under several names keeps the first as its path and counts all", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(1, [], { names: ["/a", "/b", "/a"], tags: ["x", "x"] })], start);
  await index.putObjects(
    [
      objectOf(1, [], { names: ["/c", "/b"], tags: ["x", "y"], type: "text/plain" }),
      objectOf(2, [], { names: [] }),
    ],
    start,
  );
  await index.putObjects([objectOf(2, [], { names: ["/z", "/y"], owner: "ops" })], start);
  await using session = await index.session();
  const names = await session.rows({
    text: "SELECT object_id, path FROM name ORDER BY ALL",
    parameters: [],
  });
  expect(names.map((name) => `${String(name["object_id"])} ${String(name["path"])}`)).toEqual([
    "0 /a",
    "0 /b",
    "0 /c",
    "1 /y",
    "1 /z",
  ]);
  const objects = await session.rows({
    text: "SELECT path, names, type, owner FROM object ORDER BY object_id",
    parameters: [],
  });
  expect(objects).toEqual([
    { path: "/a", names: 3, type: "text/plain", owner: null },
    { path: "/z", names: 2, type: null, owner: "ops" },
  ]);
  const tags = await session.rows({ text: "SELECT tag FROM tag ORDER BY 1", parameters: [] });
  expect(tags).toEqual([{ tag: "x" }, { tag: "y" }]);
  expect(await index.checkSummaries()).toEqual([]);
});

test("new objects with one name, with several and with none come into one index in turn", async () => {
  const { index } = await openIndex();
  const puts = [[], ["/a"], ["/b", "/c"], ["/d"], [], ["/e", "/f", "/e"], ["/g", "/h"], ["/i"]];
  for (const [number, names] of puts.entries()) {
    const put = await index.putObjects([objectOf(number, [copyOn("hot")], { names })], start);
    expect(put).toMatchObject({ added: 1, known: 0, copies: 1 });
  }
  await using session = await index.session();
  const found = await session.rows({
    text: `SELECT o.object_id, o.path, o.names, count(n.path) AS counted
           FROM object AS o JOIN name AS n USING (object_id) GROUP BY ALL ORDER BY ALL`,
    parameters: [],
  });
  const named = [...puts.entries()].flatMap(([number, [path, ...further]]) =>
    path === undefined ? [] : [[number, path, new Set([path, ...further])] as const],
  );
  expect(found.map((one) => Object.values(one).map(String))).toEqual(
    named.map(([number, path, { size }]) => [number, path, size, size].map(String)),
  );
  expect(await index.checkSummaries()).toEqual([]);
});

test("a CID with another size than before is refused and nothing of the call remains", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(1)], start);
  const version = await index.version();
  await expect(
    index.putObjects([objectOf(7), objectOf(1, [], { size: 5 })], start),
  ).rejects.toThrow(/has 1001 bytes in the index, 5 were given/);
  expect(await index.version()).toBe(version);
  await using session = await index.session();
  const [count] = await session.rows({ text: "SELECT count(*) AS n FROM object", parameters: [] });
  expect(count).toEqual({ n: 1 });
});

test("many batches add up: every object once, every byte counted", async () => {
  const { index } = await openIndex();
  const objects = Array.from({ length: 20_000 }, (_, number) => objectOf(number, [copyOn("hot")]));
  for (let from = 0; from < objects.length; from += 5_000) {
    await index.putObjects(objects.slice(Math.max(0, from - 1_000), from + 5_000), start);
  }
  expect((await index.backends())[0]?.usedBytes).toBe(2_000_000);
  expect(await index.totals(1)).toMatchObject({ objects: 20_000, copies: 20_000, belowMinimum: 0 });
  expect(await index.checkSummaries()).toEqual([]);
});

const backendNames = ["hot", "warm", "cold"] as const;

/** What a call may say of an object. */
const saidOfObject = record({
  number: nat(20),
  names: array(constantFrom("/a", "/b", "/c"), { maxLength: 3 }),
  tags: array(constantFrom("x", "y"), { maxLength: 3 }),
  owner: constantFrom("me", undefined),
  copies: uniqueArray(
    record({
      backend: constantFrom(...backendNames),
      state: constantFrom("present", "lost", "corrupt"),
      confidence: constantFrom("claimed", "listed", "verified"),
      bytes: nat(9),
    }),
    { maxLength: 3, selector: ({ backend }) => backend },
  ),
});

/** Calls that follow each other. In most of them each object and each of its copies is there once. */
const puts = array(
  oneof(
    {
      weight: 3,
      arbitrary: uniqueArray(saidOfObject, { maxLength: 6, selector: (one) => one.number }),
    },
    { weight: 1, arbitrary: array(saidOfObject, { maxLength: 6 }) },
  ),
  { minLength: 1, maxLength: 4 },
).map((calls) =>
  calls.map((some, call) =>
    some.map(({ number, copies, ...more }) =>
      objectOf(
        // Most of what a later call tells of is new, too.
        number + call * 15,
        copies.map(({ backend, state, confidence, bytes }) => ({
          ...copyOn(backend, confidence, start, bytes),
          state,
        })),
        more,
      ),
    ),
  ),
);

test("content that is all new is written as it is when some of it is there twice", async () => {
  let fresh = 0;
  await assert(
    asyncProperty(puts, async (calls) => {
      const one = (await openIndex()).index;
      const other = (await openIndex()).index;
      for (const [call, objects] of calls.entries()) {
        const at = new Date(start.getTime() + call * 1_000);
        const put = await one.putObjects(objects, at);
        if (put.known === 0 && put.added > 0) fresh += 1;
        const [first] = objects;
        const twice = first === undefined ? [] : [{ ...first, tags: [], copies: [] }];
        expect((await other.putObjects([...objects, ...twice], at)).added).toBe(put.added);
      }
      expect(await everything(one)).toEqual(await everything(other));
      expect(await one.checkSummaries()).toEqual([]);
    }),
    { numRuns: 8 },
  );
  expect(fresh).toBeGreaterThan(0);
}, 120_000);

async function everything(index: ObjectIndex): Promise<readonly unknown[]> {
  await using session = await index.session();
  const tables = ["object", "name", "tag", "copy", "backend"];
  return await Promise.all(
    tables.map((table) =>
      session.rows({ text: `SELECT * FROM "${table}" ORDER BY ALL`, parameters: [] }),
    ),
  );
}
