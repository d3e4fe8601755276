import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { listObjects } from "#engine/objects.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { NewObject } from "#model/index-store.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { cidOf, copyOn, objectOf, openIndex, start, temporaryFolder } from "../index/open-index.ts";
import { planOf } from "../policies/plan/plan-of.ts";
import { indexSource } from "./index-source.ts";

const dayMs = 86_400_000;
const day = (number: number): Date => new Date(start.getTime() + number * dayMs);

let index: ObjectIndex;
let clock = start;
beforeEach(async () => {
  clock = start;
  ({ index } = await openIndex(["hot", "cold"], { now: () => clock }));
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

/** Content that a policy of these rules marks for deletion on a day. */
async function deletedBy(rules: readonly string[], on: number): Promise<readonly number[]> {
  const head = "apiVersion: thermocline/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n";
  const sources = [{ file: "p.yaml", text: head + rules.join("\n") }];
  const { policies, diagnostics } = parsePolicies(sources, { registry: await loadAttributes() });
  expect(diagnostics).toEqual([]);
  const [backends, heat] = [await index.backends(), await index.heat()];
  const { set } = compilePolicies(policies, { now: day(on), backends, heat });
  const { actions } = await planOf(index, set);
  const marked = new Set(
    actions.filter(({ verb }) => verb === "tombstone").map(({ size }) => size),
  );
  return [...marked].map((size) => size - 1_000).toSorted((a, b) => a - b);
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

test("what only inventories found is current under its path until something better is known", async () => {
  // The current version was found first, as if an index had to be made anew.
  await listed("hot", 1, [2, "/conf"]);
  await listed("cold", 3, [1, "/conf"]);
  expect(await selected("superseded(path) > 1d or not newest(1, path)", 60)).toEqual([]);
  expect(await selected("newest(1, path)", 60)).toEqual([2, 1]);
  expect(await selected("missing(superseded(path))", 60)).toEqual([2, 1]);
  // Handed in again it is what the name stands for; what was found beside it is still undated.
  await handIn(2, "/conf", 61);
  expect(await selected("newest(1, path)", 90)).toEqual([2, 1]);
  expect(await selected("superseded(path) > 1d or not newest(1, path)", 90)).toEqual([]);
  // A list that tells of times makes it the older one that it is.
  await told(1, { path: "/conf", created: day(-9).toISOString() });
  expect(await selected("newest(1, path)", 92)).toEqual([2]);
  expect(await selected("superseded(path) > 1d and not newest(1, path)", 92)).toEqual([1]);
});

test("a guess of an inventory makes no known version older", async () => {
  await handIn(1, "/conf", 0);
  await listed("cold", 20, [2, "/conf"]);
  expect(await selected("superseded(path) > 1d or not newest(1, path)", 60)).toEqual([]);
  expect(await selected("newest(1, path)", 60)).toEqual([1, 2]);
  await handIn(3, "/conf", 30);
  expect(await selected("superseded(path) > 1d", 60)).toEqual([1]);
});

test("a name that only an inventory told is not said to stand for an object since it was made", async () => {
  await index.putObjects([objectOf(7, [copyOn("hot")], { names: [] })], day(0));
  await handIn(1, "/conf", 5);
  await listed("hot", 10, [7, "conf"], [1, "conf"]);
  expect(await selected("superseded(path) > 1d or not newest(1, path)", 60)).toEqual([]);
});

test("what inventories found counts as current in a collection that goes by creation", async () => {
  await listed("hot", 1, [2, "/2"]);
  await listed("cold", 3, [1, "/1"]);
  await handIn(3, "/3", 2, { collection: "c" });
  for (const content of [1, 2]) await told(content, { collection: "c" });
  const old = "version_rank > 1 or not newest(1) or superseded(collection) > 1d";
  expect(await selected(old, 60)).toEqual([]);
  expect(await selected("version_rank = 1", 60)).toEqual([2, 1, 3]);
  expect(await selected("version_rank <= 1 and newest(1) and newest(1B)", 60)).toEqual([2, 1, 3]);
  await told(1, { created: day(-9).toISOString() });
  expect(await selected(old, 60)).toEqual([1]);
});

test("rules that keep the newest keep what has no time from rules that go by age", async () => {
  await listed("hot", 1, [2, "/conf"], [4, "/other"]);
  await listed("cold", 3, [1, "/conf"]);
  await handIn(3, "/conf", 5);
  await index.putObjects([objectOf(5, [copyOn("hot")], { names: [] })], day(5));
  const old = `  - {name: old, where: age > 30d, delete: {grace: 7d}}`;
  const marked = async (...rules: readonly string[]) => await deletedBy([...rules, old], 60);
  expect(await marked()).toEqual([1, 2, 3, 4, 5]);
  // What has no name is in no series: it goes by its age.
  expect(await marked("  - {name: keep, where: 'newest(1, path)', hold: true}")).toEqual([5]);
  const ensure = "ensure: {copies: 1}";
  expect(await marked(`  - {name: keep, where: 'newest(3, path)', ${ensure}}`)).toEqual([5]);
  expect(await marked("  - {name: keep, where: 'newest(1, day, path)', hold: true}")).toEqual([5]);
  for (const content of [1, 2, 3]) await told(content, { collection: "c" });
  const ranked = "  - {name: keep, where: version_rank <= 1, hold: true}";
  expect(await marked(ranked)).toEqual([4, 5]);
});

test("what has no time takes no place from what has one", async () => {
  await handIn(1, "/conf", 1);
  await handIn(2, "/conf", 2);
  await listed("cold", 9, [3, "/conf"]);
  expect(await selected("not newest(1, path)", 60)).toEqual([1]);
  expect(await selected("newest(2, path)", 60)).toEqual([1, 2, 3]);
  expect(await selected("superseded(path) >= 58d", 60)).toEqual([1]);
});

test("what a list tells of again is not superseded by its own coming into the index", async () => {
  clock = day(30);
  await told(1, { path: "/conf", backend: "hot", created: day(1).toISOString() });
  await told(1, { path: "/conf", modified: day(9).toISOString() });
  expect(await selected("superseded(path) > 1d or not newest(1, path)", 60)).toEqual([]);
  await told(2, { path: "/conf", backend: "hot", created: day(20).toISOString() });
  expect(await selected("superseded(path) >= 40d", 60)).toEqual([1]);
});

test("what a list tells of without a time is no version before one is known", async () => {
  clock = day(1);
  await told(2, { path: "/conf", backend: "hot" });
  clock = day(3);
  await told(1, { path: "/conf", backend: "hot" });
  expect(await selected("superseded(path) > 1d or not newest(1, path)", 60)).toEqual([]);
  await told(1, { path: "/conf", modified: day(-9).toISOString() });
  await told(2, { path: "/conf", modified: day(-5).toISOString() });
  expect(await selected("not newest(1, path)", 60)).toEqual([1]);
});

test("which version is current does not change when the same manifest is imported again", async () => {
  clock = day(40);
  const at = { path: "/conf", backend: "hot" };
  const times = (created: number, modified: number) => {
    return { created: day(created).toISOString(), modified: day(modified).toISOString() };
  };
  const rows = [
    [1, { ...at, ...times(1, 10) }],
    [2, { ...at, ...times(5, 6) }],
  ] as const;
  const states: unknown[] = [];
  for (let time = 0; time < 2; time += 1) {
    await toldAll(rows);
    expect(await selected("newest(1, path)", 60)).toEqual([1]);
    expect(await selected("superseded(path) > 30d", 60)).toEqual([2]);
    states.push(await timesOf(1), await timesOf(2));
    clock = day(41);
  }
  expect(states.slice(2)).toEqual(states.slice(0, 2));
});

const created = (on: number) => ({ created: day(on).toISOString() });
const modified = (on: number) => ({ modified: day(on).toISOString() });

test("what a manifest says is the same wherever it is cut into pieces, and when it is told again", async () => {
  const path = "/a";
  const manifests: readonly (readonly Told[])[] = [
    [{ path }, { path, ...created(-9) }],
    [{ path }, modified(-3), { path, ...created(-5) }],
    [
      { path, ...created(-9) },
      { path, ...modified(-4) },
    ],
    [
      { ...created(-9), ...modified(-2) },
      { path, ...created(-11) },
    ],
    [{}, { path, ...created(-5) }, { path: "/b", ...created(-3) }],
  ];
  const rows = manifests.flatMap((lines, content) => lines.map((line) => [content, line] as const));
  const states: unknown[] = [];
  for (const pieceRows of [rows.length, 1]) {
    ({ index } = await openIndex(["hot"], { now: () => clock }));
    for (let time = 0; time < 2; time += 1) {
      await toldAll(rows, pieceRows);
      states.push(await Promise.all(manifests.map((_, content) => timesOf(content))));
    }
  }
  expect(states.slice(1)).toEqual([states[0], states[0], states[0]]);
}, 120_000);

async function timesOf(content: number): Promise<unknown> {
  await using session = await index.session();
  const [found] = await session.rows({
    text: "SELECT path, names, created, named, guessed FROM object WHERE size = $1",
    parameters: [1_000 + content],
  });
  return found;
}

type Told = Readonly<Record<string, string>>;

/** A manifest tells of content. */
async function told(content: number, more: Told): Promise<void> {
  await toldAll([[content, more]]);
}

async function toldAll(
  rows: readonly (readonly [number, Told])[],
  pieceRows?: number,
): Promise<void> {
  const path = join(await temporaryFolder(), "manifest.ndjson");
  const lines = rows.map(([content, more]) =>
    JSON.stringify({ cid: cidOf(content), size: 1_000 + content, ...more }),
  );
  await writeFile(path, lines.join("\n"));
  const cut = pieceRows === undefined ? {} : { pieceRows };
  const how = { importId: path, path, format: undefined, dryRun: false, restart: false, ...cut };
  const defaults = { profiles: ["raw-sha256"] };
  await Array.fromAsync(index.manifests.import({ ...how, keep, defaults }));
}

async function keep(rows: readonly unknown[]): Promise<number> {
  expect(rows).toEqual([]);
  return await Promise.resolve(0);
}

/** Backends are listed on a day, and tell of content by what they call it. */
async function listed(
  backend: string,
  on: number,
  ...found: readonly (readonly [number, string])[]
): Promise<void> {
  clock = day(on);
  const source = { backend, source: "listing", folder: await temporaryFolder() };
  const how = { dryRun: false, restart: true, isLate: false, look: async () => undefined };
  async function* entries() {
    for (const [content, name] of found) {
      const copy = { locator: `place/${content}`, form: "file", bytes: 1_000 + content } as const;
      const cursor = String(content).padStart(4, "0");
      yield { cid: cidOf(content), copy, size: 1_000 + content, name, cursor };
    }
  }
  await Array.fromAsync(index.inventories.take({ ...source, ...how, entries, begunAt: day(on) }));
}
