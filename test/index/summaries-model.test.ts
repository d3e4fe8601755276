import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ObjectIndex } from "#index/object-index.ts";
import { type Confidence, confidences, type CopyState, type Evidence } from "#model/copy.ts";
import { cidOf, copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { evidenceOf } from "./run-steps.ts";

const names = ["a", "b", "c"];
const states = { present: "present", absent: "lost", corrupt: "corrupt" } as const;

interface Believed {
  readonly state: CopyState;
  readonly confidence: Confidence;
  readonly bytes: number;
  readonly locator: string;
}

/** What the index should believe, kept in the simplest way. */
class Model {
  readonly copies = new Map<string, Believed>();
  readonly known: number[] = [];
  readonly held = new Set<number>();

  know(number: number): void {
    if (!this.known.includes(number)) this.known.push(number);
  }

  find(
    number: number,
    name: string,
    state: CopyState,
    confidence: Confidence,
    stored?: Pick<Believed, "bytes" | "locator">,
  ): void {
    const key = `${number} ${name}`;
    const before = this.copies.get(key);
    if (before === undefined) {
      if (stored !== undefined) this.copies.set(key, { state, confidence, ...stored });
      return;
    }
    if (before.state === "corrupt" && state === "present" && confidence !== "verified") return;
    const both = before.state === "present" && state === "present";
    // A file in another place is not the one that was checked.
    const same = stored === undefined || stored.locator === before.locator;
    const surer = both && same && rank(before.confidence) > rank(confidence);
    this.copies.set(key, {
      state,
      confidence: surer ? before.confidence : confidence,
      bytes: stored?.bytes ?? before.bytes,
      locator: stored?.locator ?? before.locator,
    });
  }

  mask(number: number, level: Confidence): number {
    return names.reduce((mask, name, id) => {
      const copy = this.copies.get(`${number} ${name}`);
      const counts = copy?.state === "present" && rank(copy.confidence) >= rank(level);
      return counts ? mask + 2 ** id : mask;
    }, 0);
  }

  usedBytes(name: string): number {
    return [...this.copies]
      .filter(([key, copy]) => key.endsWith(` ${name}`) && copy.state === "present")
      .reduce((sum, [, copy]) => sum + copy.bytes, 0);
  }
}

interface Found {
  readonly number: number;
  readonly name: string;
  readonly finding: Evidence["finding"];
  readonly confidence: Confidence;
}

type Step =
  | { put: { number: number; on: readonly string[]; confidence: Confidence; bytes: number }[] }
  | { found: readonly Found[] }
  | { listed: { name: string; numbers: readonly number[] } }
  | { hold: number; held: boolean }
  | { reopen: true };

const number = fc.integer({ min: 0, max: 6 });
const name = fc.constantFrom(...names);
const confidence = fc.constantFrom(...confidences);
const finding = fc.constantFrom("present", "absent", "corrupt");
const bytes = fc.integer({ min: 1, max: 3 });
const put = fc.record({ number, on: fc.subarray(names), confidence, bytes });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ put: fc.array(put, { minLength: 1, maxLength: 5 }) }),
  fc.record({
    found: fc.array(fc.record({ number, name, finding, confidence }), { maxLength: 5 }),
  }),
  fc.record({ listed: fc.record({ name, numbers: fc.uniqueArray(number) }) }),
  fc.record({ hold: number, held: fc.boolean() }),
  fc.constant({ reopen: true }),
);

test("after any sequence of writes the summaries are what a simple model says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
      const opened = await openIndex(names);
      const model = new Model();
      let index = opened.index;
      let now = start;
      for (const next of steps) {
        now = new Date(now.getTime() + 1_000);
        if ("reopen" in next) {
          await index.close();
          index = await ObjectIndex.open(opened.path, { threads: 2 });
        } else await perform(index, model, next, now);
        expect(await index.checkSummaries()).toEqual([]);
      }
      await expectAsModel(index, model);
      await index.close();
    }),
    { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 12) },
  );
});

async function perform(
  index: ObjectIndex,
  model: Model,
  next: Exclude<Step, { reopen: true }>,
  now: Date,
): Promise<void> {
  if ("put" in next) {
    await index.putObjects(
      next.put.map((given) =>
        objectOf(
          given.number,
          given.on.map((on) => copyOn(on, given.confidence, now, given.bytes)),
        ),
      ),
      now,
    );
    for (const given of next.put) model.know(given.number);
    const copies = next.put.flatMap(({ on, ...given }) =>
      on.map((name) => ({ ...given, name, finding: "present" as const })),
    );
    for (const given of oneOfEach(copies)) {
      model.find(given.number, given.name, "present", given.confidence, {
        bytes: given.bytes,
        locator: `at ${given.name}`,
      });
    }
  } else if ("found" in next) {
    await index.recordEvidence(
      next.found.map((found) =>
        evidenceOf(found.number, found.name, found.finding, found.confidence),
      ),
      now,
    );
    oneOfEach(next.found).forEach((found) => {
      model.find(found.number, found.name, states[found.finding], found.confidence);
    });
  } else if ("listed" in next) await list(index, model, next.listed, now);
  else {
    const id = model.known.indexOf(next.hold);
    if (id < 0) return;
    if (next.held) await index.hold([id], "test", now);
    else await index.release([id], now);
    if (next.held) model.held.add(id);
    else model.held.delete(id);
  }
}

/** Of several findings about one copy in one call the bad ones count, then the surest. */
function oneOfEach<One extends Found>(found: readonly One[]): readonly One[] {
  const ordered = found.toSorted(
    (a, b) =>
      Number(a.finding !== "present") - Number(b.finding !== "present") ||
      rank(a.confidence) - rank(b.confidence),
  );
  return [...new Map(ordered.map((one) => [`${one.number} ${one.name}`, one])).values()];
}

async function list(
  index: ObjectIndex,
  model: Model,
  { name: backend, numbers }: { name: string; numbers: readonly number[] },
  now: Date,
): Promise<void> {
  // Listed where it was put, on one of the backends.
  const locator = backend === "a" ? "at a" : "listed";
  const copy = { locator, form: "file", bytes: 2 } as const;
  async function* listing() {
    for (const listed of numbers) {
      yield { cid: cidOf(listed), copy, size: undefined, cursor: `${listed}` };
    }
  }
  await index.reconcile(backend, listing(), now);
  for (const known of model.known) {
    const before = model.copies.get(`${known} ${backend}`);
    if (!numbers.includes(known)) {
      if (before?.state === "present") model.find(known, backend, "lost", "listed");
    } else if (before?.state === "present" && before.bytes !== copy.bytes) {
      model.find(known, backend, "corrupt", "listed", copy);
    } else model.find(known, backend, "present", "listed", copy);
  }
}

async function expectAsModel(index: ObjectIndex, model: Model): Promise<void> {
  await using session = await index.session();
  const rows = await session.rows({
    text: `SELECT present_mask, listed_mask, sampled_mask, verified_mask, held
           FROM object ORDER BY object_id`,
    parameters: [],
  });
  expect(rows).toEqual(
    model.known.map((known, id) => ({
      present_mask: model.mask(known, "claimed"),
      listed_mask: model.mask(known, "listed"),
      sampled_mask: model.mask(known, "sampled"),
      verified_mask: model.mask(known, "verified"),
      held: model.held.has(id),
    })),
  );
  const backends = await index.backends();
  expect(backends.map((backend) => backend.usedBytes)).toEqual(
    names.map((known) => model.usedBytes(known)),
  );
}

function rank(level: Confidence): number {
  return confidences.indexOf(level);
}
