import { laneNames } from "#engine/outside-port.ts";
import { judgeLost, judgeWork } from "#engine/why/judge-work.ts";
import type { Question } from "#engine/why/question.ts";
import { isSameWork } from "#engine/why/standing.ts";
import { progressOf } from "#jobs/step-job.ts";
import { EngineError } from "#model/engine-error.ts";
import type { WhyReport } from "#model/why.ts";

/** A job by its id: which batch, its state in the queue, attempts, and what holds it. */
export async function whyJob(question: Question, id: string): Promise<WhyReport> {
  const { execution, context, look } = question;
  const queue = (await execution.runtime())?.queue;
  if (queue === undefined) {
    throw new EngineError("UNAVAILABLE", "no controller is running, so no queue can be asked", {
      hint: "start one with `thermocline up`",
    });
  }
  const lanes = laneNames(context.config, context.pool.names);
  const found = await queue.find(id, lanes);
  if (found === undefined) {
    throw new EngineError("NOT_FOUND", `no lane has a job ${id}`, {
      hint:
        `looked at the lanes ${lanes.join(", ")} and the index; jobs that ended leave the queue, ` +
        "their outcomes are in the ledger: thermocline audit",
    });
  }
  const { job, seen } = found;
  const { lane, lost } = seen.step;
  const { runId, batch, step, from, to } = job.data;
  const state = await job.getState();
  const { done = 0, waiting } = progressOf(job);
  const { work, standing } = await look(runId);
  const groups = work.filter((group) => isSameWork(group, job.data));
  // What a worker has goes on; a worker that is gone has it in the queue alone.
  const judged = state === "active" && !lost ? [] : groups;
  const facts = [
    `actions ${from} to ${to - 1}, ${done} of them over`,
    `taken by a worker ${times(job.attemptsStarted)}, ` +
      `lost by one ${times(job.stalledCounter + (lost ? 1 : 0))}`,
    ...(job.processedBy === undefined ? [] : [`last worked on by node ${job.processedBy}`]),
    ...(job.failedReason ? [`last error: ${job.failedReason}`] : []),
    ...(waiting === undefined ? [] : [`it stepped aside: ${waiting}`]),
    ...(job.data.outages === undefined ? [] : [`met ${job.data.outages} outages in a row`]),
  ];
  return {
    about: "job",
    subject: `job ${id}: step ${step} of batch ${batch} of ${runId}, ${lost ? "lost by its worker" : state} on the lane ${lane}`,
    waiting: judged.flatMap((group) =>
      lost ? judgeLost(group, seen, standing) : judgeWork(group, standing),
    ),
    active: [],
    actions: [],
    facts,
    looked: [`the queue at ${queue.address}`, `run ${runId}`],
  };
}

function times(count: number): string {
  if (count === 0) return "never";
  return count === 1 ? "once" : `${count} times`;
}
