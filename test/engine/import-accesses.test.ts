import { readFile } from "node:fs/promises";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type AccessImportContext, importAccesses } from "#engine/import-accesses.ts";
import { EngineError } from "#model/engine-error.ts";
import { cloudFrontLines, s3Line } from "../index/access-log-lines.ts";
import { cidOf, objectOf, openIndex, start } from "../index/open-index.ts";

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  for (const line of lines) yield await Promise.resolve(line);
}

async function openImport() {
  const { index, folder } = await openIndex();
  const context: AccessImportContext = { index, config: { dataDirectory: folder } };
  await index.putObjects([objectOf(0), objectOf(1)], start);
  return {
    index,
    take: (id: string, lines: readonly string[]) =>
      importAccesses(context, id, linesOf(lines), { format: "auto", prefix: "/data/" }),
    reads: async (objectId: number) => (await index.objectDetail(objectId, start)).reads,
    heat: async (objectId: number) => (await index.objectDetail(objectId, start)).heat,
    context,
  };
}

const at = "31/Dec/2025:12:00:00 +0000";
const first = s3Line({ key: "0.bin", at });
const second = s3Line({ key: "1.bin", at });

test("a log that comes again, or has grown, counts nothing twice", async () => {
  const { take, reads, index } = await openImport();
  const counted = await take("log", [first, second, ""]);
  expect(counted).toMatchObject({ lines: 2, earlier: 0, applied: 2, unknown: 0, format: "s3" });
  const version = await index.version();
  expect(await take("log", [first, second, ""])).toMatchObject({
    lines: 0,
    earlier: 3,
    applied: 0,
    repeated: true,
  });
  expect(await index.version()).toBe(version);
  const grown = await take("log", [first, second, "", second, `${first}\r`]);
  expect(grown).toMatchObject({ lines: 2, earlier: 3, applied: 2, repeated: false });
  expect([await reads(0), await reads(1)]).toEqual([2, 2]);
});

test("another log, or one that lost lines, is refused under a known id", async () => {
  const { take, reads } = await openImport();
  await take("log", [first, second]);
  const refused = { code: "CONFLICT", retryable: false };
  await expect(take("log", [first, first, second])).rejects.toMatchObject(refused);
  await expect(take("log", [first])).rejects.toMatchObject(refused);
  expect(await take("other", [first])).toMatchObject({ applied: 1 });
  expect([await reads(0), await reads(1)]).toEqual([2, 1]);
});

test("an import that breaks off anywhere goes on where it was, to the same counts", async () => {
  const { take, reads, index } = await openImport();
  let log = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(first, second, "", "noise", s3Line({ key: "gone", at })), {
        minLength: 1,
        maxLength: 12,
      }),
      fc.array(fc.nat(12), { maxLength: 3 }),
      async (lines, cuts) => {
        log += 1;
        const before = [await reads(0), await reads(1)];
        const total = { applied: 0, unknown: 0, malformed: 0 };
        for (const end of [...cuts.toSorted((a, b) => a - b), lines.length]) {
          const report = await take(`log ${log}`, lines.slice(0, end));
          for (const key of ["applied", "unknown", "malformed"] as const) total[key] += report[key];
        }
        const count = (line: string) => lines.filter((one) => one === line).length;
        const counted = [await reads(0), await reads(1)].map((now, id) => now - (before[id] ?? 0));
        expect(counted).toEqual([count(first), count(second)]);
        expect(total).toEqual({
          applied: count(first) + count(second),
          unknown: lines.length - count(first) - count(second) - count("") - count("noise"),
          malformed: count("noise"),
        });
        expect(await index.checkSummaries()).toEqual([]);
      },
    ),
    { numRuns: 15 },
  );
});

test("malformed lines are kept once each, with their number and the reason", async () => {
  const { take, context } = await openImport();
  await take("log", ["", first, "noise", second]);
  // An import that was killed after it kept lines, and before it counted them.
  const failing: AccessImportContext = {
    ...context,
    index: {
      accessLogs: {
        cursor: (id) => context.index.accessLogs.cursor(id),
        count: () => Promise.reject(new EngineError("NO_SPACE", "the disk is full")),
      },
    },
  };
  const grown = ["", first, "noise", second, "more noise"];
  const options = { format: "s3" } as const;
  const killed = importAccesses(failing, "log", linesOf([...grown, "lost"]), options);
  await expect(killed).rejects.toMatchObject({ code: "NO_SPACE" });
  const { malformedFile = "", malformed, examples } = await take("log", grown);
  expect([malformed, examples]).toEqual([1, ["line 5: not a line of an S3 server access log"]]);
  const kept = (await readFile(malformedFile, "utf8")).trim().split("\n");
  expect(kept.map((line) => JSON.parse(line) as unknown)).toEqual([
    { line: 3, reason: "not a line of an S3 server access log", text: "noise" },
    { line: 5, reason: "not a line of an S3 server access log", text: "more noise" },
  ]);
});

test("two imports of one log at once count it once", async () => {
  const { take, reads } = await openImport();
  const both = await Promise.allSettled([take("log", [first]), take("log", [first])]);
  const refused = both.filter((result) => result.status === "rejected");
  expect(refused.map(({ reason }) => (reason as EngineError).code)).toEqual(
    refused.length === 0 ? [] : ["CONFLICT"],
  );
  expect(await reads(0)).toBe(1);
});

test("a ranged read counts the share of the object that the index knows", async () => {
  const { take, heat, reads } = await openImport();
  const lines = [250, 5_000, 0].map(
    (bytes) =>
      `::1 - - [01/Jan/2026:00:00:00 +0000] "GET /ipfs/${cidOf(0)} HTTP/1.1" 206 ${bytes} "-" "-"`,
  );
  await take("log", lines);
  expect(await heat(0)).toBeCloseTo(1.25, 9);
  expect(await reads(0)).toBe(2);
});

test("the fields of a CloudFront log are known to what stands behind an earlier import", async () => {
  const { take, reads } = await openImport();
  const fields = "#Fields: cs-uri-stem sc-status cs-method time date";
  const line = "/0.bin\t200\tGET\t12:00:00\t2025-12-31";
  await take("log", [cloudFrontLines[0], fields, line]);
  await take("log", [cloudFrontLines[0], fields, line, line]);
  expect(await reads(0)).toBe(2);
});

test("long lines make short pieces, and of malformed ones their beginning is kept", async () => {
  const { index, folder } = await openIndex(undefined, { memoryLimit: "256MiB", threads: 1 });
  await index.putObjects([objectOf(0)], start);
  const pieces: { readonly lines: number; readonly chars: number }[] = [];
  const context: AccessImportContext = {
    config: { dataDirectory: folder },
    index: {
      accessLogs: {
        cursor: (id) => index.accessLogs.cursor(id),
        count: async (piece, accesses) => {
          const chars = accesses.reduce((sum, { object }) => sum + object.length, 0);
          pieces.push({ lines: piece.cursor.lines - piece.after, chars });
          return await index.accessLogs.count(piece, accesses);
        },
      },
    },
  };
  const long = "x".repeat(50_000);
  const [reads, noise] = [800, 100];
  async function* lines(): AsyncGenerator<string> {
    const known = JSON.stringify({ cid: cidOf(0), at: start });
    yield await Promise.resolve(known);
    for (let at = 0; at < reads; at += 1) {
      yield JSON.stringify({ path: `/${at}-${long}`, at: start });
    }
    for (let at = 0; at < noise; at += 1) yield `${at} ${long}`;
    yield known;
  }
  const report = await importAccesses(context, "log", lines(), { format: "ndjson" });
  expect(report).toMatchObject({ applied: 2, unknown: reads, malformed: noise });
  expect(Math.max(...pieces.map(({ chars }) => chars))).toBeLessThan(33 * 1024 ** 2);
  expect(Math.max(...pieces.map((piece) => piece.lines))).toBeLessThan(700);
  expect(pieces.reduce((sum, piece) => sum + piece.lines, 0)).toBe(reads + noise + 2);
  const kept = (await readFile(report.malformedFile ?? "", "utf8")).trim().split("\n");
  expect(kept).toHaveLength(noise);
  expect(Math.max(...kept.map((line) => line.length))).toBeLessThan(5_000);
});
