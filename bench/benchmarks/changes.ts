import { copyFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { ObjectIndex } from "#index/object-index.ts";
import type { Access } from "#model/index-store.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compileFilter } from "#policies/compile-filter.ts";
import { sql, toStatement } from "#policies/sql-fragment.ts";
import { livelyTime, makeLivelyIndex } from "../lively-index.ts";
import { median, secondsOf } from "../median.ts";
import { type Benchmark, type Measurement, meetsGoal } from "../runner/benchmark.ts";
import { compare, counted } from "../runner/compare.ts";
import type { Workbench } from "../runner/workbench.ts";
import { sampleCid } from "../sample-objects.ts";

const condition = "idle > 30d and heat < 0.5 and size >= 1MiB and not held";
/** Of ten objects one is changed. */
const distance = 10;
const batchReads = 100_000;
/** Objects changed a second while others scan, by so many senders, and how many of them at once. */
const updatesPerSecond = 20_000;
const updatesAtOnce = 10_000;
const senders = 4;
/** The share of them that must be reached. */
const rateLeast = 0.9;
const busyMs = 6_000;
const scansMin = 5;

export default {
  name: "changes",
  about: "a scan after a tenth of the rows changed or while they do, against a clean one",
  rounds: 3,
  prepare: async ({ folder, objects }) => {
    await makeLivelyIndex(`${folder}/index.duckdb`, objects);
    await copyFile(`${folder}/index.duckdb`, `${folder}/changed.duckdb`);
  },
  async measure(bench) {
    const clean = await bench.openIndex();
    const changed = await bench.openIndex("changed.duckdb");
    const statement = await scanOf(clean);
    const scan = async (index: ObjectIndex): Promise<void> => {
      await using session = await index.session();
      await session.rows(statement);
    };
    await changeTenth(bench, changed);
    const after = await compare({
      what: "a scan after a tenth of the rows changed",
      rounds: bench.rounds * 3,
      ours: () => scan(changed),
      peer: () => scan(clean),
      peerName: "the same, unchanged",
      goal: 1.5,
    });
    return [after, ...(await compareBusy(bench, clean, () => scan(clean)))];
  },
} satisfies Benchmark;

/** Four conditions, two of them on columns that change. */
async function scanOf(index: ObjectIndex) {
  const moment = { now: livelyTime, backends: await index.backends(), heat: await index.heat() };
  const where = compileFilter(condition, { ...moment, registry: await loadAttributes() });
  return toStatement(sql`SELECT count(*) FROM object AS o WHERE ${where}`);
}

/** As reads do it, which change three columns: spread evenly, so that each part has some. */
async function changeTenth({ objects }: Workbench, index: ObjectIndex): Promise<void> {
  for (let from = 0; from < objects; from += batchReads * distance) {
    const count = Math.ceil(Math.min(objects - from, batchReads * distance) / distance);
    await index.recordAccesses(`from ${from}`, readsOf(from, count, distance));
  }
}

function readsOf(from: number, count: number, every: number): readonly Access[] {
  return Array.from({ length: count }, (_, at) => {
    return { object: sampleCid(from + at * every).toString(), at: livelyTime, weight: 1 };
  });
}

async function compareBusy(
  { objects, rounds }: Workbench,
  index: ObjectIndex,
  scan: () => Promise<void>,
): Promise<readonly Measurement[]> {
  const count = Math.min(updatesAtOnce, objects);
  const apart = Math.max(1, Math.floor(objects / count));
  // Each sender has objects of its own: rows that change twice in a commit would change once.
  const sent = Array.from({ length: senders }, (_, at) => readsOf(at % apart, count, apart));
  const figures: BusyRound[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const idle: number[] = [];
    const busy: number[] = [];
    while (idle.length < scansMin * 2) idle.push(await secondsOf(scan));
    const writers = sent.map(
      (reads, at) =>
        new Writer(index, reads, { name: `round ${round}, ${at}`, turn: at / senders }),
    );
    const begun = performance.now();
    while (busy.length < scansMin || performance.now() - begun < busyMs) {
      busy.push(await secondsOf(scan));
    }
    const rates = await Promise.all(writers.map((writer) => writer.end()));
    const rate = rates.reduce((all, of) => all + of, 0);
    figures.push({ idle: median(idle), busy: median(busy), rate });
  }
  return measurementsOf(figures);
}

/** Seconds that a scan took, and rows a second that changed meanwhile. */
export interface BusyRound {
  readonly idle: number;
  readonly busy: number;
  readonly rate: number;
}

/** Scans hardly suffer where hardly any row changes: then their goal is missed. */
export function measurementsOf(rounds: readonly BusyRound[]): readonly Measurement[] {
  const middle = (of: (round: BusyRound) => number) => median(rounds.map(of));
  const changed = counted({
    what: "rows changed meanwhile",
    ours: middle(({ rate }) => rate),
    peer: updatesPerSecond,
    peerName: "what is asked for",
    unit: "rows/s",
    better: "more",
    goal: rateLeast,
  });
  const isChanged = meetsGoal(changed, changed.ratio) === true;
  return [
    {
      what: "a scan while rows change",
      ours: middle(({ busy }) => busy),
      peer: middle(({ idle }) => idle),
      ratio: middle(({ busy, idle }) => busy / idle),
      peerName: "the same, idle",
      unit: "s",
      better: "less",
      goal: 2.5,
      ...(isChanged ? {} : { unmet: "too few rows changed" }),
    },
    changed,
  ];
}

/** Sends its share of the reads, as a gateway does: at the rate asked for, or as fast as it can. */
class Writer {
  readonly #stop = new AbortController();
  readonly #running: Promise<number>;

  constructor(index: ObjectIndex, reads: readonly Access[], sender: Sender) {
    this.#running = write(index, reads, sender, this.#stop.signal);
  }

  /** Says how many rows it changed a second. */
  async end(): Promise<number> {
    this.#stop.abort();
    return await this.#running;
  }
}

interface Sender {
  readonly name: string;
  /** When it begins, as a share of the time from one of its batches to the next. */
  readonly turn: number;
}

async function write(
  index: ObjectIndex,
  reads: readonly Access[],
  { name, turn }: Sender,
  stop: AbortSignal,
): Promise<number> {
  const begun = performance.now();
  const everyMs = (reads.length / (updatesPerSecond / senders)) * 1_000;
  let written = 0;
  await pause(turn * everyMs, stop);
  while (!stop.aborted) {
    await index.recordAccesses(`${name}, after ${written}`, reads);
    written += reads.length;
    await pause(begun + (turn + written / reads.length) * everyMs - performance.now(), stop);
  }
  return (written / (performance.now() - begun)) * 1_000;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, ms), undefined, { signal }).catch(() => {
    // It is to end now.
  });
}
