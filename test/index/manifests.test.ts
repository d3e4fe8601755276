import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { array, assert, asyncProperty, constantFrom, integer, nat, record } from "fast-check";
import { expect, test } from "vitest";
import type {
  MalformedRow,
  ManifestSource,
  ManifestStep,
} from "#index/manifests/manifest-import.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { cidOf, copyOn, objectOf, openIndex, start, temporaryFolder } from "./open-index.ts";

const profiles = ["unixfs-v1-2025", "unixfs-v0-2015", "raw-sha256"];

interface Imported {
  readonly last: ManifestStep;
  readonly malformed: readonly MalformedRow[];
}

/** Imports a file to its end, or so many steps of it. */
async function importFile(
  index: ObjectIndex,
  path: string,
  options: Partial<ManifestSource> & { readonly steps?: number } = {},
): Promise<Imported> {
  const { steps = Infinity, defaults, ...rest } = options;
  const malformed: MalformedRow[] = [];
  const keep = (rows: readonly MalformedRow[], kept: number) => {
    malformed.push(...rows);
    return Promise.resolve(kept + rows.length);
  };
  const source = { importId: path, path, format: undefined, dryRun: false, restart: false, keep };
  let last: ManifestStep | undefined;
  let seen = 0;
  for await (const step of index.manifests.import({
    ...source,
    ...rest,
    defaults: { profiles, ...defaults },
  })) {
    last = step;
    seen += 1;
    if (seen === steps) break;
  }
  if (last === undefined) throw new Error("an import has a first step");
  return { last, malformed };
}

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, content);
  return path;
}

/** Everything that an import can change, in a form that does not depend on ids. */
async function content(index: ObjectIndex): Promise<readonly unknown[]> {
  await using session = await index.session();
  return await session.rows({
    text: `SELECT hex(o.cid) AS cid, o.size, o.profile, o.type, o.collection, o.owner, o.modified,
        (SELECT list(path ORDER BY path) FROM name AS n WHERE n.object_id = o.object_id) AS names,
        (SELECT list(tag ORDER BY tag) FROM tag AS t WHERE t.object_id = o.object_id) AS tags,
        (SELECT list(backend || ' ' || form || ' ' || locator || ' ' || bytes || ' ' || confidence
           ORDER BY backend) FROM copy AS c WHERE c.object_id = o.object_id) AS copies
      FROM object AS o ORDER BY 1`,
    parameters: [],
  });
}

const row = (number: number, more: Record<string, unknown> = {}) => ({
  cid: cidOf(number),
  size: number,
  path: `/data/${number}.bin`,
  ...more,
});
const ndjson = (rows: readonly unknown[]) => rows.map((one) => `${JSON.stringify(one)}\n`).join("");

test("CSV, NDJSON and Parquet that say the same give the same index, packed or not", async () => {
  const rows = [
    row(1, { type: "a/b", collection: "c", owner: "o", tags: ["x", "y z"], backend: "hot" }),
    row(2, { modified: "2026-01-02T05:04:05+02:00", path: 'with "marks", commas and\nlines' }),
    row(3, { backend: "cold", form: "car", locator: "here", bytes: 99 }),
  ];
  const csv = [
    "\uFEFFCID;Size;Path;type;collection;owner;tags;modified;backend;form;locator;bytes",
    `${cidOf(1)};1;/data/1.bin;a/b;c;o;"x;y z";;hot;;;`,
    `${cidOf(2)};2;"with ""marks"", commas and\nlines";;;;;2026-01-02T05:04:05+02:00;;;;`,
    `${cidOf(3)};3;/data/3.bin;;;;;;cold;car;here;99`,
  ].join("\r\n");
  const reference = (await openIndex()).index;
  const plain = await fileOf("a.ndjson", ndjson(rows));
  expect((await importFile(reference, plain)).last).toMatchObject({ rows: 3, added: 3, copies: 2 });
  const expected = await content(reference);
  expect(expected).toHaveLength(3);
  const parquet = join(await temporaryFolder(), "a.parquet");
  await using session = await reference.session();
  await session.exportParquet(
    {
      text: `SELECT o.cid, o.size, o.path AS "PATH", o.type, o.collection, o.owner, o.modified,
          (SELECT list(tag ORDER BY tag) FROM tag AS t WHERE t.object_id = o.object_id) AS tags,
          c.backend, c.form, c.locator, c.bytes
        FROM object AS o LEFT JOIN copy AS c USING (object_id) ORDER BY o.object_id`,
      parameters: [],
    },
    parquet,
  );
  const files = [
    await fileOf("a.csv", csv),
    await fileOf("b", zstdCompressSync(csv)),
    await fileOf("a.jsonl.gz", gzipSync(ndjson(rows))),
    parquet,
  ];
  for (const file of files) {
    const { index } = await openIndex();
    const { last, malformed } = await importFile(index, file);
    expect([malformed, last]).toMatchObject([[], { rows: 3, added: 3, known: 0, copies: 2 }]);
    expect(await content(index)).toEqual(expected);
    expect(await index.checkSummaries()).toEqual([]);
  }
});

test("what cannot be read or contradicts the index is kept aside, with its line and why", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(1)], start);
  const file = await fileOf(
    "a.csv",
    "cid,size,path,created,backend,form,profile,note\n" +
      `${cidOf(1)},999,/a,,,,,\n` +
      "not-a-cid,1,/b,,,,,\n" +
      `${cidOf(2)},1.5,/c,,,,,\n` +
      `${cidOf(3)},,/d,,,,,\n` +
      `${cidOf(4)},4,/e,yesterday,,,,\n` +
      `${cidOf(5)},5,/f,,nowhere,,,\n` +
      `${cidOf(6)},6,/g,,,heap,,\n` +
      `${cidOf(7)},7,/h,,,,other,\n` +
      `${cidOf(8)},8\n` +
      `${cidOf(9)},9,"/open,,,,,\n\n` +
      `${cidOf(10)},10,/k,,hot,,,\n` +
      `${cidOf(10)},11,/k,,,,,\n`,
  );
  const { last, malformed } = await importFile(index, file);
  expect(malformed.map(({ line, reason }) => `${line}: ${reason}`)).toEqual([
    `2: it has ${objectOf(1).size} bytes in the index, not 999`,
    '3: "not-a-cid" is not a CID',
    "4: its size is no whole number of bytes",
    "5: it has no size",
    "6: created is no time (ISO 8601)",
    "7: there is no backend nowhere",
    "8: there is no form heap",
    "9: there is no profile other",
    "10: it has 2 cells, not 8",
    "11: a quotation mark is not closed",
    "14: it has 10 bytes in the rows before, not 11",
  ]);
  expect(malformed[9]?.text).toBe(`${cidOf(9)},9,"/open,,,,,`);
  expect(last).toMatchObject({ rows: 12, added: 1, known: 0, malformed: 11, ignored: ["note"] });
  expect(await index.checkSummaries()).toEqual([]);
});

test("sizes that nothing has are kept aside, and their sum stops no import", async () => {
  const { index } = await openIndex();
  const noise = Array.from({ length: 12 }, (_, at) => row(at + 3, { size: "999999999999999999" }));
  const copy = { size: 7, backend: "hot", bytes: 2 ** 50 + 1 };
  const rows = [row(1, { size: 2 ** 50 }), row(2, { size: 2 ** 50 + 1 }), ...noise, row(20, copy)];
  const { last, malformed } = await importFile(index, await fileOf("a.ndjson", ndjson(rows)));
  expect(last).toMatchObject({ rows: 15, added: 1, copies: 0, malformed: 14, bytes: 2 ** 50 });
  const tooLarge = "is more than a pebibyte";
  expect(malformed.map(({ line, reason }) => `${line}: ${reason}`)).toEqual([
    ...Array.from({ length: 13 }, (_, at) => `${at + 2}: its size ${tooLarge}`),
    `15: bytes ${tooLarge}`,
  ]);
  expect(await index.checkSummaries()).toEqual([]);
});

test("a stray quotation mark spoils its own line, however far away the next one is", async () => {
  const { index } = await openIndex();
  const lines = Array.from({ length: 3_000 }, (_, at) => `${cidOf(at)},${at},/x`);
  const file = await fileOf("a.csv", ["cid,size,path", `a,1,"x`, ...lines, `b,2,y"`].join("\n"));
  const { last, malformed } = await importFile(index, file);
  expect(malformed.map(({ line }) => line)).toEqual([2, 3_003]);
  expect(last).toMatchObject({ added: 3_000, malformed: 2 });
});

test("a file of noise without ends of lines is read in bounded memory and kept in part", async () => {
  const { index } = await openIndex();
  const noise = `${"x".repeat(5 * 1024 ** 2)}\n`;
  const file = await fileOf("a.ndjson", ndjson([row(1)]) + noise + ndjson([row(2)]));
  const { last, malformed } = await importFile(index, file);
  expect(malformed).toMatchObject([{ line: 2, reason: "it is longer than a mebibyte" }]);
  expect(malformed[0]?.text.length).toBe(1_000);
  expect(last).toMatchObject({ rows: 3, added: 2, malformed: 1 });
});

test("a manifest claims copies, and changes nothing that the index knows by itself", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(1, [copyOn("hot"), copyOn("cold")])], start);
  const later = new Date(start.getTime() + 60_000);
  const gone = {
    backend: "cold",
    cid: cidOf(1),
    finding: "absent",
    confidence: "verified",
  } as const;
  const how = { method: "looked", checkedAt: later.toISOString(), bytesRead: 0 };
  await index.recordEvidence([{ ...gone, ...how }], later);
  const rows = ["hot", "warm", "cold"].map((backend) =>
    row(1, { size: objectOf(1).size, backend }),
  );
  const { last } = await importFile(index, await fileOf("a.ndjson", ndjson(rows)));
  expect(last).toMatchObject({ added: 0, known: 3, copies: 1 });
  await using session = await index.session();
  const copies = await session.rows({
    text: "SELECT backend, state, confidence FROM copy ORDER BY backend",
    parameters: [],
  });
  expect(copies).toEqual([
    { backend: "cold", state: "lost", confidence: "verified" },
    { backend: "hot", state: "present", confidence: "verified" },
    { backend: "warm", state: "present", confidence: "claimed" },
  ]);
});

test("a dry run counts what the import then does, and writes nothing", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(1, [copyOn("hot")])], start);
  const rows = [1, 2, 2, 3].map((number) => row(number, { size: objectOf(number).size }));
  const file = await fileOf("a.ndjson", ndjson([...rows, { cid: "no" }]));
  const version = await index.version();
  const defaults = { profiles, backend: "hot" };
  const dry = await importFile(index, file, { dryRun: true, defaults });
  expect(await index.version()).toBe(version);
  const real = await importFile(index, file, { defaults });
  const {
    rows: _rows,
    addedNow: _now,
    malformedNow: _malformed,
    keptBytes: _kept,
    ...same
  } = real.last;
  expect(dry.last).toMatchObject(same);
  expect(same).toMatchObject({ added: 2, known: 2, copies: 2, malformed: 1 });
});

test("a manifest without cid and size is refused before anything is read", async () => {
  const { index } = await openIndex();
  await expect(importFile(index, await fileOf("a.csv", "key,bytes\na,1\n"))).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining("has no column cid and no size"),
  });
  await expect(importFile(index, "/nowhere/a.csv")).rejects.toMatchObject({ code: "UNREADABLE" });
  const cut = await fileOf("a.parquet", "PAR1 and nothing else");
  await expect(importFile(index, cut)).rejects.toMatchObject({ code: "UNREADABLE" });
  const packed = gzipSync(ndjson(Array.from({ length: 60_000 }, (_, at) => row(at))));
  const broken = await fileOf("b.ndjson.gz", packed.subarray(0, packed.length - 40));
  await expect(importFile(index, broken)).rejects.toMatchObject({ code: "UNREADABLE" });
});

test("cut off at any piece and gone on with, imported once or twice: the same index", async () => {
  const rows = array(record({ number: nat(9), backend: constantFrom("hot", "cold", "nowhere") }), {
    minLength: 1,
    maxLength: 6,
  });
  const cuts = array(nat(4), { maxLength: 2 });
  await assert(
    asyncProperty(rows, cuts, integer({ min: 1, max: 5 }), async (some, points, pieceRows) => {
      const text = some.map(({ number, backend }) => row(number, { backend }));
      const file = await fileOf("a.ndjson", ndjson(text));
      const once = (await openIndex()).index;
      const whole = (await importFile(once, file)).last;
      const { index } = await openIndex();
      for (const cut of points) await importFile(index, file, { pieceRows, steps: cut + 1 });
      await importFile(index, file, { pieceRows });
      const { last } = await importFile(index, file, { pieceRows });
      const { malformed, leftOut, past, bytes } = whole;
      expect(last).toMatchObject({ added: 0, copies: 0, malformed, leftOut, past, bytes });
      expect(await content(index)).toEqual(await content(once));
      expect(await index.checkSummaries()).toEqual([]);
    }),
    { numRuns: 8 },
  );
}, 120_000);

test("two imports of one file at a time do not count anything twice", async () => {
  const { index } = await openIndex();
  const file = await fileOf("a.ndjson", ndjson([row(1), row(2)]));
  const both = await Promise.allSettled([importFile(index, file), importFile(index, file)]);
  expect(both.some(({ status }) => status === "fulfilled")).toBe(true);
  const refused = both.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
  expect(refused).toEqual(refused.map(() => expect.objectContaining({ code: "CONFLICT" })));
  expect(await content(index)).toHaveLength(2);
  await appendFile(file, ndjson([row(3)]));
  expect((await importFile(index, file)).last).toMatchObject({ added: 1, known: 2 });
});
