import type { ClusterParts } from "./cluster.ts";
import { contents } from "./samples.ts";

/** What is wrong when everything has come to its end: empty when all promises were kept. */
export async function endProblems(parts: ClusterParts): Promise<readonly string[]> {
  const { index, promises, queue, setup, faults, backends } = parts;
  const problems: string[] = [];
  for (const run of await index.runs()) {
    if (run.endedAt === undefined) problems.push(`run ${run.id} is stuck: it is ${run.state}`);
    if (run.progress.remaining > 0) {
      problems.push(`run ${run.id} has ${run.progress.remaining} actions without an outcome`);
    }
  }
  if (problems.length > 0) {
    const open = queue.jobs.all().filter(({ state }) => state !== "completed");
    const list = open.map(
      ({ name, id, queue, state }) => `${name} ${id.slice(0, 6)} on ${queue}: ${state}`,
    );
    problems.push(`jobs in the queue: ${list.join("; ")}`);
  }
  const facts = await index.facts();
  const ends = new Map<string, string[]>();
  for (const { run, sequence, outcome } of facts.outcomes) {
    const action = `action ${sequence} of ${run}`;
    ends.set(action, [...(ends.get(action) ?? []), outcome]);
  }
  for (const [action, outcomes] of ends) {
    if (outcomes.length > 1) problems.push(`${action} ended ${outcomes.join(" and ")}`);
  }
  const permitAt = new Map(facts.permits.map(({ permit, entry }) => [permit, entry]));
  const proofAt = new Map(facts.proofs.map(({ permit, entry }) => [permit, entry]));
  for (const { permit, entry } of facts.proofs) {
    if ((permitAt.get(permit) ?? Infinity) > entry) problems.push(`proof without permit ${permit}`);
  }
  for (const { permit, object, backend, at } of promises.removals) {
    // A backend that answers from its past may deny a removal: then nobody can prove it.
    if (proofAt.has(permit) || faults.enabled.has("stale-answer")) continue;
    // So is a removal after which another action made the copy anew before anybody asked.
    const { cid } = contents[object]?.object ?? { cid: "" };
    if (backends.get(backend)?.writtenAfter(cid, at) === true) continue;
    problems.push(`object ${object} was removed from ${backend}, the ledger has no proof of it`);
  }
  problems.push(...facts.disagreements);
  // What a paused or cancelled run has in the queues does not count against the others.
  const stopped = faults.enabled.has("pause") || faults.enabled.has("cancel");
  const runs = stopped ? (await index.runs()).length : 1;
  for (const [name, peak] of queue.jobs.peak) {
    // Four steps of a batch may lie in one queue.
    const most = 4 * runs * setup.queuedPerLaneMax * Math.max(1, setup.backends.length);
    if (peak > most) problems.push(`queue ${name} held ${peak} jobs, ${most} are the most`);
  }
  return problems;
}
