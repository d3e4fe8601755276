import { array, assert, constant, integer, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";
import { type LedgerTail, parseTailName, tailName } from "#engine/ledger/ledger-tail.ts";
import { entriesBefore, tailsAfter } from "#engine/ledger/tail-chain.ts";
import { noEntryCheck } from "#index/ledger/entry-check.ts";

/** A tail with what is in its file; entries are numbers that never come twice. */
interface ModelTail extends LedgerTail {
  readonly entries: readonly number[];
}

const step = oneof(
  record({ kind: constant("record" as const), count: integer({ min: 1, max: 3 }) }),
  record({ kind: constant("tail" as const) }),
  record({ kind: constant("snapshot" as const) }),
  record({ kind: constant("restore" as const), which: integer({ min: 0, max: 5 }) }),
  record({ kind: constant("restore without tails" as const), which: integer({ min: 0, max: 5 }) }),
);

test("a snapshot and the tails behind it are a ledger that there was, the one written to last", () => {
  assert(
    property(array(step, { maxLength: 40 }), (steps) => {
      const model = new LedgerModel();
      for (const taken of steps) {
        if (taken.kind === "record") model.record(taken.count);
        else if (taken.kind === "tail") model.writeTail();
        else if (taken.kind === "snapshot") model.snapshots.push(model.ledger);
        else model.restore(taken.which, taken.kind === "restore");
      }
      for (const snapshot of model.snapshots) {
        const found = restored(snapshot, model.tails);
        expect(model.wasOnce(found)).toBe(true);
      }
      // What is the present came of its own snapshot, and its last tail was the last one written.
      model.snapshots.push(model.ledger);
      model.record(2);
      model.writeTail();
      expect(restored(model.snapshots.at(-1) ?? [], model.tails)).toEqual(model.ledger);
    }),
    { numRuns: 300 },
  );
});

test("what stands behind a gap is left out", () => {
  const model = new LedgerModel();
  for (let tail = 0; tail < 5; tail += 1) {
    model.record(2);
    model.writeTail();
  }
  expect(restored([], model.tails)).toEqual(model.ledger);
  const [, , gap] = model.tails;
  const rest = model.tails.filter((tail) => tail !== gap);
  expect(restored([], rest)).toEqual(model.ledger.slice(0, 4));
});

test("the name of a file says all that is known of it, and nothing else is such a name", () => {
  const tail = {
    first: 3,
    last: 17,
    before: noEntryCheck,
    after: "0123456789abcdef",
    writtenAt: "2026-11-22T08:00:00.123Z",
    cid: "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy",
    bytes: 99,
  };
  expect(parseTailName(tailName(tail), 99)).toEqual(tail);
  expect(parseTailName(`${tailName(tail)}.part`, 99)).toBeUndefined();
  expect(parseTailName(tailName(tail).replace("t", "x"), 99)).toBeUndefined();
});

/** A ledger that is lost and restored again and again; each line of history goes on by itself. */
class LedgerModel {
  ledger: readonly number[] = [];
  readonly snapshots: (readonly number[])[] = [];
  readonly tails: ModelTail[] = [];
  readonly #past = new Set<string>();
  #next = 1;
  #clock = Date.parse("2026-01-01T00:00:00Z");

  record(count: number): void {
    for (let entry = 0; entry < count; entry += 1) {
      this.ledger = [...this.ledger, this.#next];
      this.#next += 1;
      this.#past.add(this.ledger.join());
    }
  }

  writeTail(): void {
    const own = this.tails.filter(({ last, after }) => checkOf(this.ledger, last) === after);
    const before = Math.max(-1, ...own.map(({ last }) => last));
    const last = this.ledger.length - 1;
    if (last === before) return;
    this.#clock += 60_000;
    this.tails.push({
      first: before + 1,
      last,
      before: checkOf(this.ledger, before),
      after: checkOf(this.ledger, last),
      writtenAt: new Date(this.#clock).toISOString(),
      cid: `b${this.tails.length}`,
      bytes: 1,
      entries: this.ledger.slice(before + 1),
    });
  }

  restore(which: number, withTails: boolean): void {
    const snapshot = this.snapshots[which];
    if (snapshot === undefined) return;
    this.ledger = withTails ? restored(snapshot, this.tails) : snapshot;
  }

  wasOnce(ledger: readonly number[]): boolean {
    return ledger.length === 0 || this.#past.has(ledger.join());
  }
}

/** As `restore` does it: a file that holds other entries than the snapshot is left out. */
function restored(snapshot: readonly number[], all: readonly ModelTail[]): readonly number[] {
  const last = snapshot.length - 1;
  const tails = all.filter(({ first, entries }) => {
    return snapshot
      .slice(first)
      .every((entry, at) => entries[at] === undefined || entries[at] === entry);
  });
  const checks = new Map(
    [...entriesBefore(tails, last), -1].map((entry) => [entry, checkOf(snapshot, entry)]),
  );
  const chain = tailsAfter(tails, { last, checks }) as readonly ModelTail[];
  return chain.reduce<readonly number[]>(
    (ledger, { first, entries }) => [...ledger.slice(0, first), ...entries],
    snapshot,
  );
}

function checkOf(ledger: readonly number[], entry: number): string {
  return entry === -1 ? noEntryCheck : String(ledger[entry] ?? "none").padStart(16, "0");
}
