import { beforeEach, expect, test } from "vitest";
import { listObjects } from "#engine/objects.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { NewObject } from "#model/index-store.ts";
import { copyOn, objectOf, openIndex, start } from "../index/open-index.ts";
import { indexSource } from "./index-source.ts";

const dayMs = 86_400_000;
const day = (number: number): Date => new Date(start.getTime() + number * dayMs);

let index: ObjectIndex;
beforeEach(async () => {
  ({ index } = await openIndex(["hot"]));
});

/** Content is handed in under a name on a day. */
async function handIn(
  content: number,
  name: string,
  on: number,
  more: Partial<NewObject> = {},
): Promise<void> {
  const copies = [copyOn("hot", "verified", day(on))];
  await index.putObjects([objectOf(content, copies, { names: [name], ...more })], day(on));
}

async function selected(where: string, on: number): Promise<readonly number[]> {
  const source = await indexSource(index, day(on));
  const found = (await Array.fromAsync(listObjects(source, { where }))).flat();
  return found.map(({ size }) => size - 1_000);
}

test("old content that comes back under its name is what the name stands for", async () => {
  await handIn(1, "/conf", 0);
  await handIn(2, "/conf", 10);
  expect(await selected("superseded(path) > 5d", 20)).toEqual([1]);
  await handIn(1, "/conf", 20);
  expect(await selected("superseded(path) > 5d", 24)).toEqual([]);
  expect(await selected("superseded(path) > 5d", 30)).toEqual([2]);
  expect(await selected("newest(1, path)", 30)).toEqual([1]);
  expect(await selected("not newest(1, path)", 30)).toEqual([2]);
});

test("what is handed in again and again does not make the versions before it younger", async () => {
  await handIn(1, "/conf", 0);
  for (const on of [10, 20, 30, 40]) await handIn(2, "/conf", on);
  expect(await selected("superseded(path) >= 31d", 41)).toEqual([1]);
  expect(await selected("newest(1, path)", 41)).toEqual([2]);
});

test("new content counts from when it came in, whatever its file says of its creation", async () => {
  await handIn(1, "/conf", 5, { created: day(4) });
  // A file that is written anew in its place keeps its time of creation; a restored one all times.
  await handIn(2, "/conf", 10, { created: day(1), modified: day(1) });
  expect(await selected("superseded(path) > 1d", 20)).toEqual([1]);
});

test("of what has several names nothing is said: it may be current under one of them", async () => {
  await handIn(1, "/a", 0);
  await handIn(2, "/b", 1);
  await handIn(1, "/b", 2);
  await handIn(3, "/a", 3);
  expect(await selected("superseded(path) > 1d or not newest(1, path)", 20)).toEqual([]);
});

test("an object that gets its first name late is what the name stands for from then on", async () => {
  const copies = [copyOn("hot")];
  await index.putObjects([objectOf(7, copies, { names: [] })], day(0));
  await handIn(1, "/conf", 5);
  await handIn(7, "/conf", 10);
  expect(await selected("newest(1, path)", 20)).toEqual([7]);
  expect(await selected("superseded(path) > 9d", 20)).toEqual([1]);
});

test("other series go by creation, however often their objects are handed in", async () => {
  await handIn(1, "/1", 1, { collection: "c" });
  await handIn(2, "/2", 2, { collection: "c" });
  await handIn(1, "/1", 3, { collection: "c" });
  expect(await selected("newest(1)", 5)).toEqual([2]);
});
