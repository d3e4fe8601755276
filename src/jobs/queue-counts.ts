import { indexQueue, laneQueue } from "#jobs/lanes.ts";
import type { QueueStore } from "#jobs/queue-store.ts";

/** Jobs of one queue in one state. */
export interface QueueCount {
  readonly queue: string;
  readonly state: string;
  readonly jobs: number;
}

/** How many jobs wait, run, have ended, in the queue of the index and in those of the lanes. */
export async function queueCounts(
  store: QueueStore,
  backends: readonly string[],
): Promise<readonly QueueCount[]> {
  const queues = [indexQueue, ...backends.map(laneQueue)];
  const counts = queues.map(async (queue) => {
    const states = await store.queue(queue).getJobCounts();
    return Object.entries(states).map(([state, jobs]) => ({ queue, state, jobs }));
  });
  return (await Promise.all(counts)).flat();
}
