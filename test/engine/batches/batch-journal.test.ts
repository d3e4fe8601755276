import { appendFile, readdir } from "node:fs/promises";
import { assert, asyncProperty, array, integer } from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { BatchJournal, cursorOf, journalBegin } from "#engine/batches/batch-journal.ts";
import type { BatchRecord, ToldBatch } from "#model/record-batch.ts";
import { openRegistry } from "./message.ts";

function record(number: number, length = 0): BatchRecord {
  const cid = `b${String(number)
    .padStart(58, "a")
    .replaceAll(/[01890]/g, "z")}`;
  const tags = { number: String(number), filling: "x".repeat(length) };
  return { cid, rows: 1, bytes: 1, created: "2026-01-01T00:00:00Z", columns: [], tags };
}

function numbers(told: readonly ToldBatch[]): number[] {
  return told.map(({ batch }) => Number(batch.tags["number"]));
}

function readAll(journal: BatchJournal, from = journalBegin): readonly ToldBatch[] {
  const all: ToldBatch[] = [];
  for (let place = from; ;) {
    const { records, next } = journal.read(place);
    if (cursorOf(next) === cursorOf(place)) return all;
    all.push(...records);
    place = next;
  }
}

test("every record is read once and in order, whatever the lengths and wherever one begins", async () => {
  await assert(
    asyncProperty(
      array(integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 60 }),
      async (lengths) => {
        const { journal } = await openRegistry({ segmentBytes: 2_048 });
        lengths.forEach((length, number) => journal.append(record(number, length), false));
        const all = readAll(journal);
        expect(numbers(all)).toEqual(lengths.map((_, number) => number));
        for (const [position, { cursor }] of all.entries()) {
          const [segment = 0, offset = 0] = cursor.split(".").map(Number);
          expect(numbers(readAll(journal, { segment, offset }))).toEqual(
            lengths.map((_, number) => number).slice(position + 1),
          );
        }
      },
    ),
    { numRuns: 20 },
  );
});

test("a record that somebody died in, and one that nobody understands, spoil no other", async () => {
  const { journal } = await openRegistry();
  journal.append(record(1), false);
  await appendFile(journal.path(1), '\n{"cid":"bafk');
  journal.append(record(2), false);
  await appendFile(journal.path(1), '\n{"cid":7}\nnot json\n');
  journal.append(record(3), false);
  expect(numbers(readAll(journal))).toEqual([1, 2, 3]);
});

test("a record that is not finished yet is read when it is", async () => {
  const { journal } = await openRegistry();
  journal.append(record(1), false);
  const line = `\n${JSON.stringify(record(2))}\n`;
  await appendFile(journal.path(1), line.slice(0, 40));
  const { records, next } = journal.read(journalBegin);
  expect(numbers(records)).toEqual([1]);
  await appendFile(journal.path(1), line.slice(40));
  expect(numbers(journal.read(next).records)).toEqual([2]);
});

test("who appends to a segment that readers have left appends to the next one too", async () => {
  const { journal, directory } = await openRegistry({ segmentBytes: 300 });
  const late = new BatchJournal(`${directory}/journal`, 100_000);
  onTestFinished(() => late.close());
  late.append(record(1), false);
  journal.append(record(2), false);
  expect(await readdir(journal.directory)).toEqual(["00000001.ndjson", "00000002.ndjson"]);
  const left = { segment: 2, offset: 0 };
  late.append(record(3), false);
  expect(numbers(readAll(journal, left))).toEqual([3]);
  expect(numbers(readAll(journal))).toEqual([1, 2, 3, 3]);
});

test("a subscriber that waits is told at once, and ends when it is ended", async () => {
  const registry = await openRegistry();
  registry.journal.append(record(1), false);
  const fromNow = registry.follow();
  const fromBegin = registry.follow("0.0");
  const waiting = fromNow.next();
  registry.journal.append(record(2), false);
  expect((await waiting).value?.batch.tags["number"]).toBe("2");
  expect((await fromBegin.next()).value?.batch.tags["number"]).toBe("1");
  expect((await fromBegin.next()).value?.batch.tags["number"]).toBe("2");
  const last = fromNow.next();
  fromNow.end();
  expect(await last).toEqual({ done: true, value: undefined });
  await fromBegin.return();
  expect(await fromBegin.next()).toEqual({ done: true, value: undefined });
});

test("a cursor that is none is refused", async () => {
  const registry = await openRegistry();
  expect(() => registry.follow("yesterday")).toThrow("no cursor");
});
