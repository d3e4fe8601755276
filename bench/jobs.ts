// What enqueuing costs: the flows of batches against raw BullMQ jobs and raw BullMQ flows, with
// little and with our data and options, all in one run, medians.
//   node bench/jobs.ts [rounds = 7]
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { queueServers } from "../test/conformance/queue-servers.ts";
import { enqueueWays, jobsMade } from "./enqueue-ways.ts";
import { median, secondsOf } from "./median.ts";

const rounds = Number(process.argv[2] ?? 7);

for (const kind of queueServers) {
  if (kind.missing !== undefined) {
    console.log(`${kind.name}: skipped, ${kind.missing}`);
    continue;
  }
  const server = await kind.start();
  const queue = await openQueueStore({ url: server.url, namespace: "bench" });
  console.log(kind.name);
  try {
    await benchEnqueue(queue);
  } finally {
    await queue.close();
    await server.stop();
  }
}

async function benchEnqueue(queue: QueueStore): Promise<void> {
  const took = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, enqueue] of enqueueWays(queue, round)) {
      const seconds = await secondsOf(enqueue);
      took.set(name, [...(took.get(name) ?? []), seconds]);
    }
  }
  const raw = median(took.get("raw jobs") ?? []);
  for (const [name, seconds] of took) {
    const middle = median(seconds);
    console.log(
      `  ${name}: ${Math.round(jobsMade / middle)} jobs/s, ` +
        `${(raw / middle).toFixed(2)}x of raw jobs`,
    );
  }
}
