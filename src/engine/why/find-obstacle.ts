import { isAble, isText, type Standing } from "#engine/why/standing.ts";
import { noWorkerWait } from "#jobs/no-worker-wait.ts";
import { resumeCommand } from "#model/control.ts";
import type { Wait, Work } from "#model/wait.ts";

/** What keeps jobs of this work, on these lanes, from being worked on although they may begin. */
export function findObstacle(
  work: Work,
  lanes: readonly string[],
  standing: Standing,
): Wait | undefined {
  return (
    pausedRun(work, standing) ??
    everyNodeObjects(work, standing) ??
    brokenQueue(lanes, standing) ??
    noWorker(lanes, standing) ??
    silentBackend(work, standing)
  );
}

function pausedRun({ runId }: Work, { pausedRuns, pauses }: Standing): Wait | undefined {
  if (!pausedRuns.has(runId) || pauses.some(({ name }) => name === runId)) return undefined;
  const remedy = resumeCommand({ scope: "run", name: runId });
  return { reason: "paused", message: `run ${runId} is paused`, remedy };
}

/** Active work is judged with its node: rules may hold it on each node that could take it. */
function everyNodeObjects(work: Work, { nodes, judge }: Standing): Wait | undefined {
  const able = nodes.filter((node) => isAble(node, work.lane)).map(({ name }) => name);
  const waits = (able.length === 0 ? [""] : able).map((node) => judge({ ...work, node }));
  return waits.includes(undefined) ? undefined : waits[0];
}

function brokenQueue(lanes: readonly string[], standing: Standing): Wait | undefined {
  const message = lanes.map((lane) => standing.lanes.get(lane)).find(isText);
  if (message === undefined) return undefined;
  return { reason: "outage", message, remedy: "thermocline doctor" };
}

function noWorker(lanes: readonly string[], { nodes }: Standing): Wait | undefined {
  const lane = lanes.find((name) => name !== "index" && !nodes.some((node) => isAble(node, name)));
  return lane === undefined ? undefined : noWorkerWait(lane);
}

function silentBackend(work: Work, { silent }: Standing): Wait | undefined {
  for (const backend of [work.target, work.victim, work.source]) {
    const words = backend === null ? undefined : silent.get(backend);
    if (words === undefined) continue;
    // A check is of that very copy.
    const isRead = work.target !== null && backend !== work.target && backend !== work.victim;
    const rest = isRead ? "; what another backend has is copied from there" : "";
    const message = `${backend} does not answer: ${words}${rest}`;
    return { reason: "outage", message, remedy: "thermocline backends" };
  }
  return undefined;
}
