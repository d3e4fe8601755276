import * as fc from "fast-check";
import { CID } from "multiformats/cid";
import { cidOf } from "../plan/fixture-index.ts";
import type { MemoryIndex } from "../memory-index.ts";

/** An object as the test's own evaluator sees it: times in milliseconds, null for unknown. */
export interface TestObject {
  readonly id: number;
  readonly size: number;
  readonly path: string | null;
  readonly type: string | null;
  readonly collection: string | null;
  readonly owner: string | null;
  readonly tags: readonly string[];
  readonly created: number;
  readonly modified: number | null;
  readonly ingested: number;
  /** When it last came in under its path; null where a list told of it. */
  readonly named: number | null;
  /** Which of its times nobody told: that of its creation, or only since when it has its path. */
  readonly guessed: "created" | "named" | null;
  readonly accessed: number | null;
  readonly weight: number;
  /** How many of all objects are colder and hotter, and their number. */
  readonly colder: number;
  readonly hotter: number;
  readonly total: number;
  readonly held: boolean;
  readonly tombstoned: number | null;
  /** When the first of its copies expires. */
  readonly expiry: number | null;
  readonly moved: number | null;
  readonly inFlight: number;
  /** Confidence by backend id. */
  readonly copies: Readonly<Record<string, number>>;
  /** Reads by days before the day of `now`. */
  readonly reads: Readonly<Record<string, number>>;
  /** All objects, itself among them. */
  readonly all: readonly TestObject[];
}

export const dayMs = 86_400_000;
export const testNow = Date.parse("2026-06-01T12:00:00Z");

export const words = ["a", "b", "data", "tmp", "x.jpg", "y.png", "Ünï", "it's", "100%"] as const;
/** Tags that are values by a key; `level` is the beginning of another key. */
export const pairs = ["team=a", "team=x.jpg", "level=b", "level-2=data", "level=", "team=it's"];
/** Tags whose values are numbers, durations and days, or almost. */
const readings = ["rank=3", "rank=-0.5", "rank=1e3", "rank= 4", "span=2d", "span=36h", "span=5 d"];
const days = ["day=2026-05-01", "day=2026-05-02T06:30:00Z", "day=2026-02-30", "day=soon"];
const word = fc.constantFrom(...words);
const path = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
const instant = fc.integer({ min: 0, max: 60 }).map((days) => testNow - days * dayMs);
const backendId = fc.constantFrom("0", "1", "2", "3");

const object = fc.record({
  size: fc.oneof(fc.constantFrom(0, 1024, 1_048_576), fc.integer({ min: 0, max: 3_000_000 })),
  path: fc.option(path),
  type: fc.option(fc.constantFrom("image/png", "image/jpeg", "text/plain")),
  collection: fc.option(word),
  owner: fc.option(word),
  tags: fc.uniqueArray(word, { maxLength: 3 }),
  created: instant,
  modified: fc.option(instant),
  ingested: instant,
  accessed: fc.option(instant),
  weight: fc.constantFrom(0, 0.25, 1, 4, 16, 64),
  held: fc.boolean(),
  copies: fc.dictionary(backendId, fc.integer({ min: 0, max: 3 })),
  reads: fc.dictionary(fc.constantFrom("0", "1", "5", "7", "30"), fc.integer({ min: 1, max: 5 })),
});

/** What comes about in service; apart, so that the golden cases keep their objects. */
const service = fc.record({
  tombstoned: fc.option(instant, { freq: 2 }),
  expiry: fc.option(fc.integer({ min: -9, max: 60 }).map((days) => testNow + days * dayMs)),
  moved: fc.option(instant),
  inFlight: fc.constantFrom(0, 0, 1, 6),
  values: fc.uniqueArray(fc.constantFrom(...pairs, ...readings, ...days), { maxLength: 5 }),
});

/** What is known of when an object came; apart for the same reason. */
const times = fc.record({
  named: fc.option(instant, { freq: 2 }),
  guessed: fc.constantFrom(null, null, null, "created", "named"),
});

/** The same objects with a past: marks, moves, ends, and tags that are values by a key. */
export function objectsInService(count: number): readonly TestObject[] {
  const pasts = fc.sample(service, { seed: 8, numRuns: count });
  const known = fc.sample(times, { seed: 9, numRuns: count });
  const all: TestObject[] = [];
  for (const [at, object] of sampleObjects(count).entries()) {
    const { values = [], ...past } = pasts[at] ?? {};
    all.push({ ...object, ...past, ...known[at], tags: [...object.tags, ...values], all });
  }
  return all;
}

/** Their CIDs, as people write them. */
export const objectCids = Array.from({ length: 80 }, (_, id) => CID.decode(cidOf(id)).toString());

/** The same objects in each run. */
export function sampleObjects(count: number): readonly TestObject[] {
  const sample = fc.sample(object, { seed: 7, numRuns: count });
  return sample.map((values, id) => ({
    id,
    ...values,
    named: null,
    guessed: null,
    tombstoned: null,
    expiry: null,
    moved: null,
    inFlight: 0,
    all: [],
    colder: sample.filter(({ weight }) => weight < values.weight).length,
    hotter: sample.filter(({ weight }) => weight > values.weight).length,
    total: count,
  }));
}

export async function insertObjects(
  index: MemoryIndex,
  objects: readonly TestObject[],
): Promise<void> {
  const mask = (object: TestObject, level: number): number =>
    Object.entries(object.copies).reduce(
      (bits, [id, confidence]) => (confidence >= level ? bits | (1 << Number(id)) : bits),
      0,
    );
  for (const object of objects) {
    await index.run(`insert into object (object_id, cid, size, path, names, type, collection, owner,
      created, modified, ingested, accessed, heat_weight, held, present_mask, listed_mask,
      sampled_mask, verified_mask, in_flight_mask, tombstoned, nearest_expiry, moved, named,
      guessed) values (${object.id},
      from_hex('${Buffer.from(cidOf(object.id)).toString("hex")}'), ${object.size}, ${text(object.path)},
      ${object.path === null ? 0 : 1}, ${text(object.type)}, ${text(object.collection)},
      ${text(object.owner)}, ${time(object.created)}, ${time(object.modified)},
      ${time(object.ingested)}, ${time(object.accessed)}, ${object.weight}, ${object.held},
      ${mask(object, 0)}, ${mask(object, 1)}, ${mask(object, 2)}, ${mask(object, 3)},
      ${object.inFlight}, ${time(object.tombstoned)}, ${time(object.expiry)},
      ${time(object.moved)}, ${time(object.named)}, ${text(object.guessed)})`);
    for (const tag of object.tags) {
      await index.run(`insert into tag values (${object.id}, ${text(tag)})`);
    }
    for (const [days, reads] of Object.entries(object.reads)) {
      const day = new Date(testNow - Number(days) * dayMs).toISOString().slice(0, 10);
      await index.run(`insert into access_day values (${object.id}, '${day}', ${reads})`);
    }
  }
}

function text(value: string | null): string {
  return value === null ? "null" : `'${value.replaceAll("'", "''")}'`;
}

function time(value: number | null): string {
  return value === null ? "null" : `make_timestamp(${value * 1000}::BIGINT)`;
}
