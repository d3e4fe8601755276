// How many small record batches a second go from one process to another through the registry:
// published here, and there found by following, read, checked against the CID and decoded. Then
// how long one is on its way, while nothing else is.
//
//   node bench/messages.ts [batches = 10000] [rows in each = 10]
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableFromArrays, tableFromIPC, tableToIPC } from "apache-arrow";
import { BatchRegistry } from "#engine/batches/batch-registry.ts";
import { type Cost, costOf, median } from "./median.ts";

const [first = "10000", second = "10", third] = process.argv.slice(2);
if (third === undefined) await send(Number(first), Number(second));
else await receive(third, Number(first));

async function send(batches: number, rows: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
  const registry = new BatchRegistry(directory, { durable: false });
  const child = fork(import.meta.filename, [String(batches), String(rows), directory]);
  try {
    await once(child, "message");
    const messages = Array.from({ length: batches }, (_, number) => batchOf(number, rows));
    const heard = once(child, "message") as Promise<[Heard]>;
    const began = performance.now();
    const sent = await costOf(async () => {
      for (const [number, message] of messages.entries()) {
        registry.publishBytes(message);
        // Others on this thread get their turn, as in a program that does more than this.
        if (number % 256 === 0) await new Promise(setImmediate);
      }
    });
    const [{ received }] = await heard;
    const whole = (performance.now() - began) / 1_000;
    say("published", batches, sent);
    say("followed, read, checked and decoded in the other process", batches, received);
    console.log(`end to end: ${Math.round(batches / whole)} batches/s (${whole.toFixed(2)} s)`);
    await roundTrips(registry, child, rows);
  } finally {
    child.kill();
    registry.close();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Heard {
  readonly received: Cost;
}

/** One batch at a time; the other process says over its own channel when it has it. */
async function roundTrips(
  registry: BatchRegistry,
  child: ReturnType<typeof fork>,
  rows: number,
): Promise<void> {
  const times: number[] = [];
  for (let number = 0; number < 200; number += 1) {
    const began = performance.now();
    const heard = once(child, "message");
    registry.publishBytes(batchOf(-1 - number, rows));
    await heard;
    times.push(performance.now() - began);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const most = sorted[Math.floor(sorted.length * 0.9)] ?? Number.NaN;
  console.log(
    `one at a time, there and told back: median ${median(times).toFixed(2)} ms, ` +
      `nine of ten within ${most.toFixed(2)} ms`,
  );
}

async function receive(directory: string, batches: number): Promise<void> {
  const registry = new BatchRegistry(directory);
  const reader = registry.follow("0.0");
  const read = async (): Promise<void> => {
    const { value } = await reader.next();
    const cid = value?.batch.cid ?? "";
    if (tableFromIPC(await registry.bytes(cid)).numRows === 0) throw new Error(`${cid} is empty`);
  };
  process.send?.("ready");
  const received = await costOf(async () => {
    for (let number = 0; number < batches; number += 1) await read();
  });
  process.send?.({ received });
  for (;;) {
    await read();
    process.send?.("read");
  }
}

function batchOf(number: number, rows: number): Uint8Array {
  const numbers = Float64Array.from({ length: rows }, (_, row) => number * rows + row);
  return tableToIPC(tableFromArrays({ number: numbers, at: numbers }), "file");
}

function say(what: string, batches: number, { seconds, processor }: Cost): void {
  const rate = Math.round(batches / seconds);
  const most = Math.round(batches / processor);
  console.log(
    `${what}: ${rate}/s (${seconds.toFixed(2)} s), ${most} for a second of processor time`,
  );
}
