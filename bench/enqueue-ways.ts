import type { FlowJob } from "bullmq";
import { batchFlow } from "#jobs/batch-flow.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { rawStep } from "./raw-step.ts";

/** Jobs of one round, and of one call. */
export const jobsMade = 10_000;
const atOnce = 1_000;

/** Ways to bring as many jobs into the queue. Batches have ids, so each round needs its number. */
export function enqueueWays(queue: QueueStore, round: number) {
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
  return new Map<string, () => Promise<void>>([
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
