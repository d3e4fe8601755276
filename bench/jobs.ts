// What enqueuing costs: the flows of batches against raw BullMQ jobs and raw BullMQ flows, with
// little and with our data and options, all in one run, medians.
//   node bench/jobs.ts [rounds = 7]
import type { FlowJob } from "bullmq";
import { batchFlow } from "#jobs/batch-flow.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { queueServers } from "../test/conformance/queue-servers.ts";
import { median, secondsOf } from "./median.ts";
import { rawStep } from "./raw-step.ts";

const rounds = Number(process.argv[2] ?? 7);
/** Jobs of one round, and of one call. */
const jobsMade = 10_000;
const atOnce = 1_000;

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
    for (const [name, enqueue] of ways(queue, round)) {
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

/** Ways to bring as many jobs into the queue, in turns. */
function ways(queue: QueueStore, round: number): ReadonlyMap<string, () => Promise<void>> {
  const little = { planCid: "bench-plan", from: 0, to: 1_000 };
  const flows = Array.from({ length: jobsMade / 2 }, (_, batch) =>
    batchFlow(rawStep(`run-${round}`, batch)),
  );
  const bare: FlowJob[] = flows.map(({ queueName, children }) => ({
    name: "copies",
    queueName,
    data: little,
    children: (children ?? []).map((child) => ({ ...child, data: little, opts: {} })),
  }));
  const raw = queue.queue("raw");
  const addJobs = async (job: (at: number) => Parameters<typeof raw.addBulk>[0][number]) => {
    for (let at = 0; at < jobsMade; at += atOnce) {
      await raw.addBulk(Array.from({ length: atOnce }, (_, more) => job(at + more)));
    }
  };
  const addFlows = async (made: readonly FlowJob[]) => {
    const flowsAtOnce = atOnce / 2;
    for (let at = 0; at < made.length; at += flowsAtOnce) {
      await queue.flows().addBulk(made.slice(at, at + flowsAtOnce));
    }
  };
  const single = flows.flatMap((flow) => [flow, ...(flow.children ?? [])]);
  return new Map([
    ["raw jobs", () => addJobs(() => ({ name: "copy", data: little }))],
    [
      "raw jobs with the data and options of batches",
      () =>
        addJobs((at) => {
          const { name = "", data, opts = {} } = single[at] ?? {};
          const { failParentOnFailure: _, ...rest } = opts;
          return { name, data: data as object, opts: rest };
        }),
    ],
    ["raw flows of two jobs", () => addFlows(bare)],
    ["batches, as flows of two jobs", () => addFlows(flows)],
  ]);
}
