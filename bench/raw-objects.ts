import { laneQueue } from "#jobs/lanes.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { costOf } from "./median.ts";
import { lanes } from "./raw-step.ts";

/** Jobs of one call, and jobs that one worker has at the same time: what raw BullMQ is fastest with. */
const addedAtOnce = 1_000;
const concurrency = 100;

/**
 * What most would build: one job for each object, which does nothing, over the same lanes. From the
 * first job added to the last one done, in objects per second; nothing is planned, found or kept.
 */
export async function rawObjects(queue: QueueStore, objects: number) {
  const perLane = Math.floor(objects / lanes.length);
  const count = perLane * lanes.length;
  const { promise, resolve } = Promise.withResolvers<void>();
  let done = 0;
  const { seconds, processor } = await costOf(async () => {
    for (const lane of lanes) {
      queue.worker(laneQueue(lane), nothing, { concurrency }).on("completed", () => {
        done += 1;
        if (done === count) resolve();
      });
    }
    await Promise.all(lanes.map((lane) => addAll(queue, lane, perLane)));
    await promise;
  });
  return { objects: count, perSecond: count / seconds, processorEach: processor / count };
}

async function addAll(queue: QueueStore, lane: string, count: number): Promise<void> {
  const to = queue.queue(laneQueue(lane));
  for (let at = 0; at < count; at += addedAtOnce) {
    const jobs = Array.from({ length: Math.min(addedAtOnce, count - at) }, (_, more) => ({
      name: "copy",
      data: {
        cid: "bafkreib3yoto4o2bz5ybpjeq4ubb4ffyjbhmvtc4xs5pn5vmbfrlpedoja",
        sequence: at + more,
        source: "hot",
        target: lane,
      },
      opts: { removeOnComplete: true },
    }));
    await to.addBulk(jobs);
  }
}

async function nothing(): Promise<void> {
  // No-op: what it costs is the queue's alone.
}
