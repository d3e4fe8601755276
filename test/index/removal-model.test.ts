import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ObjectIndex } from "#index/object-index.ts";
import type { RemovalPermit } from "#model/removal.ts";
import type { Batch, CopyOutcome, RemoveOutcome } from "#model/run.ts";
import { makePlan, stepOf, type TestAction } from "./make-plan.ts";
import { backendFacts, copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied, evidenceOf, gone, hour } from "./run-steps.ts";

const names = ["a", "b", "c", "d"];
const objects = [0, 1];
const marginMs = 121_000;

type Permit = RemovalPermit & { readonly sequence: number; readonly batch: Batch };

/**
 * The world outside the index: which copies really exist. Its workers are as bad as can be:
 * they use any permit they ever got, again and again, until it has run out, without looking.
 */
class World {
  index: ObjectIndex;
  readonly path: string;
  /** Removals do not wait for the copies of their run: every batch is offered at once. */
  readonly anyOrder: boolean;
  now = start;
  /** A backend that was taken out of the configuration. */
  left: string | undefined;
  readonly copies = new Set<string>();
  readonly issued = new Map<string, Permit>();
  readonly batches: Batch[] = [];

  constructor(index: ObjectIndex, path: string, anyOrder: boolean) {
    this.index = index;
    this.path = path;
    this.anyOrder = anyOrder;
  }

  /** Verified copies of an object that really exist. */
  count(object: number): number {
    return names.filter((name) => this.copies.has(`${object} ${name}`)).length;
  }

  batch(pick: number): Batch | undefined {
    return this.batches[pick % Math.max(1, this.batches.length)];
  }

  permit(pick: number): Permit | undefined {
    const permits = [...this.issued.values()];
    return permits[pick % Math.max(1, permits.length)];
  }
}

type Command = readonly [what: string, pick: number, succeed: boolean];

const commands: Readonly<
  Record<string, (world: World, pick: number, succeed: boolean) => Promise<void>>
> = {
  async commitCopies(world, pick, succeed) {
    const batch = world.batch(pick);
    if (batch === undefined) return;
    const outcomes = copyOutcomes(world, batch, succeed);
    const step = stepOf(batch);
    const { permits } = await world.index.commitCopies(step, outcomes, context({ now: world.now }));
    // Permits of before are told again, with what was configured then.
    const issued = permits.filter(({ id }) => !world.issued.has(id));
    for (const permit of permits) world.issued.set(permit.id, { ...permit, batch });
    const reserved = issued.flatMap((permit) => permit.reserved.map((copy) => copy.backend));
    expect(reserved, "what permits rest on").not.toContain(world.left);
  },
  async configure(world, pick) {
    await configure(world, names[pick % (names.length + 1)]);
  },
  async remove(world, pick) {
    const permit = world.permit(pick);
    if (permit !== undefined) world.copies.delete(`${permit.objectId} ${permit.backend}`);
  },
  async commitRemoval(world, pick, succeed) {
    const permit = world.permit(pick);
    if (permit === undefined) return;
    if (succeed) world.copies.delete(`${permit.objectId} ${permit.backend}`);
    const { sequence } = permit;
    const failure: RemoveOutcome =
      pick % 2 === 0
        ? { sequence, outcome: "failed", code: "TIMEOUT", message: "no answer" }
        : { sequence, outcome: "skipped", reason: "kept" };
    const outcome = succeed ? gone(sequence, permit.id) : failure;
    await world.index.commitRemovals(stepOf(permit.batch), [outcome], world.now);
  },
  async hold(world, pick) {
    await world.index.hold([pick % objects.length], "held", world.now);
  },
  async release(world, pick) {
    await world.index.release([pick % objects.length], world.now);
  },
  async crash(world) {
    await world.index.close();
    world.index = await ObjectIndex.open(world.path, { threads: 2 });
  },
  async settle(world) {
    world.now = new Date(world.now.getTime() + hour + marginMs);
    for (const permit of await world.index.expiredPermits(world.now)) {
      const there = world.copies.has(`${permit.objectId} ${permit.backend}`);
      const evidence = evidenceOf(permit.objectId, permit.backend, there ? "present" : "absent");
      await world.index.settlePermit(permit.id, evidence, world.now);
    }
    world.issued.clear();
  },
};

/** Configures all backends but one, or all of them. */
async function configure(world: World, left: string | undefined): Promise<void> {
  world.left = left;
  const configured = names.filter((name) => name !== left);
  await world.index.syncBackends(configured.map((name) => backendFacts(name)));
}

function copyOutcomes(world: World, batch: Batch, succeed: boolean): CopyOutcome[] {
  const { target } = batch;
  if (target === null) return [];
  return Array.from({ length: batch.to - batch.from }, (_, offset) => {
    const sequence = batch.from + offset;
    const object = objectOfAction.get(`${batch.runId} ${sequence}`) ?? 0;
    if (!succeed) return { sequence, outcome: "failed", code: "NO_SPACE", message: "full" };
    world.copies.add(`${object} ${target}`);
    return copied(sequence, object, target);
  });
}

const objectOfAction = new Map<string, number>();

const backend = fc.integer({ min: 0, max: 3 });
const object = fc.constantFrom(...objects);
const action: fc.Arbitrary<TestAction> = fc.oneof(
  fc.record({ verb: fc.constant("evict"), object, victim: backend }),
  fc.record({ verb: fc.constant("replicate"), object, source: backend, target: backend }),
  fc
    .record({ object, source: backend, target: backend })
    .map(({ source, ...rest }) => ({ verb: "demote", source, victim: source, ...rest }) as const),
);
const scenario = fc.record({
  anyOrder: fc.boolean(),
  copies: fc.array(fc.subarray(names, { minLength: 1 }), { minLength: 2, maxLength: 2 }),
  plans: fc.array(fc.array(action, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 2 }),
  steps: fc.array(
    fc.tuple(
      fc.oneof(
        { weight: 4, arbitrary: fc.constant("commitCopies") },
        { weight: 3, arbitrary: fc.constantFrom("remove", "commitRemoval") },
        {
          weight: 1,
          arbitrary: fc.constantFrom("hold", "release", "crash", "settle", "configure"),
        },
      ),
      fc.nat({ max: 20 }),
      fc.boolean(),
    ),
    { minLength: 5, maxLength: 18 },
  ),
});

type Scenario = Pick<World, "anyOrder"> & {
  readonly copies: readonly string[][];
  readonly plans: readonly TestAction[][];
};

async function begin({ copies, plans, anyOrder }: Scenario): Promise<World> {
  const { index, path, folder } = await openIndex(names);
  const world = new World(index, path, anyOrder);
  await index.putObjects(
    copies.map((on, number) =>
      objectOf(
        number,
        on.map((name) => copyOn(name)),
      ),
    ),
    start,
  );
  copies.forEach((on, number) => {
    for (const name of on) world.copies.add(`${number} ${name}`);
  });
  for (const actions of plans) {
    const run = await index.beginRun(await makePlan(index, folder, actions), start);
    actions.forEach(({ object: number }, sequence) => {
      objectOfAction.set(`${run.id} ${sequence}`, number);
    });
  }
  await offer(world);
  return world;
}

/** Batches whose turn has come since the last look; all of them where order is not kept. */
async function offer({ index, batches, anyOrder }: World): Promise<void> {
  for (const { id, progress } of await index.runs()) {
    if (anyOrder) {
      if (batches.some((batch) => batch.runId === id)) continue;
      await index.markQueued(
        id,
        Array.from({ length: progress.actions }, (_, number) => number),
      );
      batches.push(...(await index.queuedBatches(id, -1, progress.actions)));
    }
    const lanes = new Set((await index.workGroups(id)).map((group) => group.lane));
    for (const lane of lanes) {
      for (const batch of await index.pendingBatches(id, lane, 100)) {
        const known = batches.some(({ runId, number }) => runId === id && number === batch.number);
        if (!known) batches.push(batch);
      }
    }
  }
}

async function perform(world: World, [what, pick, succeed]: Command): Promise<void> {
  await commands[what]?.(world, pick, succeed);
  if (what === "commitCopies" || what === "commitRemoval") await offer(world);
  for (const number of objects)
    expect(world.count(number), `copies after ${what}`).toBeGreaterThan(0);
}

/** Each of the runs opens an index on disk again and again: half a minute, more beside others. */
const timeoutMs = 180_000;

test(
  "whatever workers, crashes and two runs do, a verified copy remains and each action ends once",
  async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ steps, ...given }) => {
        const world = await begin(given);
        try {
          for (const step of steps) await perform(world, step);
          expect(await world.index.checkSummaries()).toEqual([]);
          await configure(world, undefined);
          // Copies, then moves, then what is only given up: each turn ends what the next waits for.
          for (let turn = 0; turn < 3; turn += 1) {
            for (const [pick] of world.batches.entries()) {
              await perform(world, ["commitCopies", pick, true]);
            }
            for (const pick of Array.from(world.issued.keys()).keys()) {
              await perform(world, ["commitRemoval", pick, true]);
            }
            await perform(world, ["settle", 0, true]);
            await offer(world);
          }
          await world.index.finishRuns(world.now);
          const runs = await world.index.runs();
          expect(runs.map((run) => [run.progress.remaining, run.endedAt !== undefined])).toEqual([
            [0, true],
            [0, true],
          ]);
          await expectSoundLedger(world.index);
          expect(await world.index.checkSummaries()).toEqual([]);
        } finally {
          await world.index.close();
        }
      }),
      { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 10) },
    );
  },
  timeoutMs,
);

/** One outcome per action; no proof without an earlier permit that names it. */
async function expectSoundLedger(index: ObjectIndex): Promise<void> {
  await using session = await index.session();
  const doubles = await session.rows({
    text: `SELECT run_id, sequence FROM ledger WHERE kind = 'outcome'
           GROUP BY ALL HAVING count(*) <> 1`,
    parameters: [],
  });
  expect(doubles).toEqual([]);
  const orphans = await session.rows({
    text: `SELECT p.entry_id FROM ledger AS p WHERE p.kind = 'proof' AND NOT EXISTS (
             FROM ledger AS m WHERE m.kind = 'permit' AND m.entry_id < p.entry_id
               AND (m.detail ->> 'permit') = (p.detail ->> 'permit'))`,
    parameters: [],
  });
  expect(orphans).toEqual([]);
}
