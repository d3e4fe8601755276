import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";
import { expect, test } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import type { Access } from "#model/index-store.ts";
import { cidOf, objectOf, openIndex, start } from "./open-index.ts";

const readOf = (object: string, weight = 1): Access => ({ object, at: start, weight });
const pieceOf = (logId: string, after: number, lines: number) => ({
  logId,
  after,
  cursor: { lines, digest: "none", keptBytes: 0 },
});

test("reads that come together share a transaction, and each list is answered by itself", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(0), objectOf(1)], start);
  const before = await index.version();
  const answers = await Promise.all([
    index.recordAccesses("first", [readOf(cidOf(0))]),
    index.recordAccesses("second", [readOf(cidOf(0)), readOf("/data/1.bin"), readOf("/none")]),
    index.recordAccesses("third", [readOf(cidOf(77))]),
    index.accessLogs.count(pieceOf("log", 0, 2), [readOf(cidOf(1)), readOf(cidOf(78))]),
    index.recordAccesses("empty", []),
  ]);
  expect(answers).toEqual([
    { applied: 1, unknown: 0, repeated: false },
    { applied: 2, unknown: 1, repeated: false },
    { applied: 0, unknown: 1, repeated: false },
    { applied: 1, unknown: 1 },
    { applied: 0, unknown: 0, repeated: false },
  ]);
  expect(await index.version()).toBe(before + 1);
  expect(await readsOf(index)).toEqual([2, 2]);
  expect(await index.accessLogs.cursor("log")).toMatchObject({ lines: 2 });
  expect(await index.checkSummaries()).toEqual([]);
});

test("lists of one name count once, whoever shares their transaction", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(0)], start);
  const reads = [readOf(cidOf(0))];
  const [first, again, other, refused] = await Promise.allSettled([
    index.recordAccesses("one", reads),
    index.recordAccesses("one", reads),
    index.accessLogs.count(pieceOf("log", 0, 1), reads),
    index.accessLogs.count(pieceOf("log", 0, 1), reads),
  ]);
  expect(first).toMatchObject({ value: { applied: 1, repeated: false } });
  expect(again).toMatchObject({ value: { applied: 1, repeated: true } });
  expect(other).toMatchObject({ value: { applied: 1 } });
  expect(refused).toMatchObject({ reason: { code: "CONFLICT" } });
  expect(await readsOf(index)).toEqual([2]);
});

test("what is wrong with one list takes no other with it", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(0)], start);
  const reads = [readOf(cidOf(0))];
  const answers = await Promise.allSettled([
    index.recordAccesses("good", reads),
    index.recordAccesses("unsound", [...reads, readOf(cidOf(0), Number.NaN)]),
    index.accessLogs.count(pieceOf("behind", 7, 9), reads),
    // A number of lines that the index cannot store undoes the transaction that they share.
    index.accessLogs.count(pieceOf("endless", 0, 1e300), reads),
    index.recordAccesses("good as well", reads),
  ]);
  expect(answers).toMatchObject([
    { status: "fulfilled", value: { applied: 1 } },
    { status: "rejected", reason: { code: "USAGE" } },
    { status: "rejected", reason: { code: "CONFLICT" } },
    { status: "rejected" },
    { status: "fulfilled", value: { applied: 1 } },
  ]);
  expect(await readsOf(index)).toEqual([2]);
  expect(await index.accessLogs.cursor("endless")).toBeUndefined();
});

test("a read by any CID of a block counts for its object, and by its own where there are several", async () => {
  const { index } = await openIndex();
  const { multihash } = CID.parse(cidOf(0));
  const [old, node, raw] = [
    CID.createV0(createDigest(0x12, multihash.digest)).toString(),
    CID.createV1(0x70, multihash).toString(),
    CID.createV1(0x55, multihash).toString(),
  ];
  await index.putObjects([{ ...objectOf(0), cid: old }, objectOf(1)], start);
  const reads = [readOf(node), readOf(raw), readOf(old), readOf(cidOf(1)), readOf(cidOf(2))];
  expect(await index.recordAccesses("one object", reads)).toMatchObject({ applied: 4, unknown: 1 });
  expect(await readsOf(index)).toEqual([3, 1]);
  await index.putObjects([{ ...objectOf(0), cid: raw, names: [] }], start);
  expect(await index.recordAccesses("two", reads)).toMatchObject({ applied: 3, unknown: 2 });
  expect(await readsOf(index)).toEqual([4, 2, 1]);
});

test("a CID that holds its content in the place of a hash counts for itself only", async () => {
  const { index } = await openIndex();
  await index.putObjects([{ ...objectOf(0), cid: inline("the same eight, and more") }], start);
  const reads = [
    readOf(inline("the same eight, and others")),
    readOf(inline("the same eight, and more")),
  ];
  expect(await index.recordAccesses("inline", reads)).toMatchObject({ applied: 1, unknown: 1 });
});

function inline(text: string): string {
  return CID.createV1(0x55, createDigest(0, new TextEncoder().encode(text))).toString();
}

test("a foreign CID in the same transaction changes nothing for the reads of others", async () => {
  const { index } = await openIndex();
  const { multihash } = CID.parse(cidOf(0));
  const node = CID.createV1(0x70, multihash).toString();
  await index.putObjects([objectOf(0), objectOf(1)], start);
  const two = [cidOf(2), CID.createV1(0x70, CID.parse(cidOf(2)).multihash).toString()];
  await index.putObjects(
    two.map((cid) => ({ ...objectOf(2), cid, names: [] })),
    start,
  );
  const answers = await Promise.all([
    index.recordAccesses("foreign", [readOf(inline("content")), readOf(two[1] ?? "")]),
    index.recordAccesses("by another name", [
      readOf(node),
      readOf(cidOf(1)),
      readOf("/data/1.bin"),
    ]),
  ]);
  expect(answers).toMatchObject([
    { applied: 1, unknown: 1 },
    { applied: 3, unknown: 0 },
  ]);
  expect(await readsOf(index)).toEqual([1, 2, 0, 1]);
});

async function readsOf(index: ObjectIndex): Promise<readonly unknown[]> {
  await using session = await index.session();
  const text = "SELECT reads FROM object ORDER BY object_id";
  return (await session.rows({ text, parameters: [] })).map(({ reads }) => reads);
}
