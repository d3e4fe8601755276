import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "#model/engine-error.ts";
import { integerBetween, pickOne, seededRandom } from "../seeded-random.ts";
import { controlRun } from "./faults/control-run.ts";
import { damageStoredCopy } from "./faults/damage-copy.ts";
import { emptyQueue } from "./faults/empty-queue.ts";
import type { Fault, Harm } from "./faults/fault.ts";
import { fillDisk } from "./faults/fill-disk.ts";
import { freezeNode } from "./faults/freeze-node.ts";
import { killNode } from "./faults/kill-node.ts";
import { spoilBucketLink, spoilLink } from "./faults/spoil-link.ts";
import { stopBucket, stopQueue } from "./faults/stop-server.ts";
import type { Stage } from "./stage.ts";

const faults: readonly Fault[] = [
  killNode,
  freezeNode,
  stopQueue,
  stopBucket,
  emptyQueue,
  spoilLink,
  spoilBucketLink,
  fillDisk,
  damageStoredCopy,
  controlRun,
];
const urn = faults.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));
const gapMinMs = 300;
const gapMaxMs = 5_000;
/** Storms alternate with calm, in which work gets going again for the next storm to hit. */
const stormMs = 45_000;
const calmMs = 30_000;

/**
 * Injects faults at random moments until the signal, several at a time, and ends when all are
 * undone. What is chosen depends on the seed alone; when it hits depends on the machine.
 */
export async function injectFaults(stage: Stage, seed: number, signal: AbortSignal): Promise<void> {
  const random = seededRandom(seed);
  const busy = new Map<string, Promise<void>>();
  const rest = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
  let calmAt = Date.now() + stormMs;
  while (!signal.aborted) {
    await rest(integerBetween(random, gapMinMs, gapMaxMs));
    if (Date.now() > calmAt) {
      await rest(calmMs);
      calmAt = Date.now() + stormMs;
    }
    const fault = pickOne(random, urn) ?? killNode;
    // A generator of its own: the choices after it do not depend on how far this one gets.
    const own = seededRandom(Math.floor(random() * 2 ** 32));
    const target = fault.target(stage, own);
    if (target === undefined || busy.has(target) || signal.aborted) continue;
    const done = fault
      .inject(harmOf(fault, target, stage, own, signal))
      .catch((error: unknown) => {
        stage.troubles.push(`fault ${fault.name}: ${EngineError.from(error).message}`);
      })
      .finally(() => busy.delete(target));
    busy.set(target, done);
  }
  await Promise.all(busy.values());
}

function harmOf(
  fault: Fault,
  target: string,
  stage: Stage,
  random: () => number,
  signal: AbortSignal,
): Harm {
  return {
    stage,
    target,
    random,
    wait: async (lowMs, highMs) => {
      await sleep(integerBetween(random, lowMs, highMs), undefined, { signal }).catch(
        () => undefined,
      );
    },
    note: (detail) => stage.faults.note(fault.name, detail),
  };
}
