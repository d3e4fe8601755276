import { findObstacle } from "#engine/why/find-obstacle.ts";
import {
  activeJobs,
  asideJobs,
  isSameWork,
  isText,
  laneNamesOf,
  type Standing,
} from "#engine/why/standing.ts";
import { asideWait } from "#jobs/aside-wait.ts";
import { resumeCommand } from "#model/control.ts";
import type { LaneJob } from "#jobs/queue-view.ts";
import type { Wait, Work } from "#model/wait.ts";
import type { OpenWork, WaitingWork } from "#model/why.ts";

/** Why a group of open work does not go on; nothing while workers are at all of it. */
export function judgeWork(group: OpenWork, standing: Standing): readonly WaitingWork[] {
  const work = workOf(group);
  const found: WaitingWork[] = [];
  const note = (wait: Wait, batches: number) => {
    if (batches > 0) found.push(waiting(group, wait, batches, standing));
  };
  const { pending, blocked, queued } = group;
  const first = standing.dispatches ? cancelled(group) : noController;
  if (first !== undefined) {
    note(first, pending + queued);
    return found;
  }
  const active = activeJobs(work, standing);
  const taken = new Set(active.map(({ step }) => step.batch));
  // What a worker has is under way, whatever became of an earlier try of it.
  const unsettled = group.unsettled.filter((batch) => !taken.has(batch)).length;
  const idle = Math.max(0, queued - unsettled - taken.size);
  const held = standing.judge(work) ?? findObstacle(work, [work.lane], standing);
  if (held !== undefined) note(held, pending);
  else {
    note(dependency(blocked), blocked);
    note(laneWait(work, standing), pending - blocked);
  }
  noteIdle(work, idle, standing, note);
  noteGone(work, active, standing, note);
  note(unknownOutcome(group, unsettled), unsettled);
  return joined(found);
}

/** Work that was handed out and is with no worker, on any of its lanes. */
function noteIdle(
  work: Work,
  idle: number,
  standing: Standing,
  note: (wait: Wait, batches: number) => void,
): void {
  const known = findObstacle(work, laneNamesOf(work), standing);
  if (known !== undefined) {
    note(known, idle);
    return;
  }
  const jobs = asideJobs(work, standing).slice(0, idle);
  const waits = jobs.flatMap((job) => asideWait(job) ?? []);
  for (const alike of Map.groupBy(waits, ({ message }) => message).values()) {
    const [wait] = alike;
    if (wait !== undefined) note(wait, alike.length);
  }
  note(laneWait(work, standing), idle - waits.length);
}

/** Jobs whose worker went away with them: another one takes them up. */
function noteGone(
  work: Work,
  active: readonly LaneJob[],
  standing: Standing,
  note: (wait: Wait, batches: number) => void,
): void {
  const lost = active.filter(({ step }) => step.lost);
  const alike = Map.groupBy(lost, ({ step }) => `${step.node} ${step.step} ${step.lane}`);
  for (const jobs of alike.values()) {
    const [job] = jobs;
    if (job !== undefined) note(workerGone(work, job, standing), jobs.length);
  }
}

/** A removal that its worker did not report may have happened. */
function workerGone(work: Work, { step, data }: LaneJob, standing: Standing): Wait {
  const removal =
    step.step === "remove"
      ? `; removals from ${data.victim ?? "its backend"} may have happened, and the backend is ` +
        "asked before anything is assumed"
      : "";
  const next = findObstacle(work, [step.lane], standing);
  const then = next === undefined ? "another worker takes it up within seconds" : next.message;
  return { reason: "role", ...next, message: `${wentWords(step, standing)}: ${then}${removal}` };
}

/** What is known of the end of a worker; that it has let go of its job, the queue has said. */
function wentWords({ node: name, step }: LaneJob["step"], { nodes }: Standing): string {
  if (name === undefined) return `the worker that took up step ${step} is gone`;
  const node = nodes.find((one) => one.name === name);
  const which = `node ${name}, which took up step ${step},`;
  if (node === undefined)
    return `${which} is gone: it has not reported since this controller was started`;
  if (!node.up) return `${which} is silent since ${node.lastSeen}`;
  return `${which} has let go of it: it was started again, or did not reach the queue`;
}

/** Why a job that was taken up is with no worker. */
export function judgeLost(group: OpenWork, job: LaneJob, standing: Standing): WaitingWork {
  return waiting(group, workerGone(workOf(group), job, standing), 1, standing);
}

const noController: Wait = {
  reason: "role",
  message: "no controller is running, so nothing hands out work or takes results",
  remedy: "thermocline up",
};

function cancelled({ cancelReason: reason }: OpenWork): Wait | undefined {
  if (reason === null) return undefined;
  return {
    reason: "dependency",
    message: `it is cancelled (${reason}) and ends once its workers have let go of it`,
  };
}

function dependency(batches: number): Wait {
  const message = `${batches} batches wait for copies of the same objects that come first`;
  return { reason: "dependency", message };
}

/** A removal that broke off may have happened, and no worker has it: until its permit has run out nobody assumes. */
function unknownOutcome({ victim, settledAt }: OpenWork, batches: number): Wait {
  const which = batches === 1 ? "one batch" : `${batches} batches`;
  const backend = victim ?? "its backend";
  return {
    reason: "dependency",
    message:
      `in ${which} a removal from ${backend} broke off and may have happened: once its permit ` +
      "has run out for certain, the backend is asked how it ended",
    ...(settledAt === null ? {} : { until: settledAt }),
  };
}

/** Nothing but the lane itself: what the dispatcher noted, or what the queue looks like. */
function laneWait(work: Work, { held, lanes }: Standing): Wait {
  const noted = held.find((each) => isSameWork(each.work, work) && ofLanes.has(each.wait.reason));
  if (noted !== undefined) return noted.wait;
  const view = lanes.get(work.lane);
  if (view === undefined || isText(view)) {
    return { reason: "concurrency", message: "it is handed out in the next rounds" };
  }
  const { waiting: before } = view;
  const active = view.active.filter(({ step }) => !step.lost).length;
  const message =
    active + before === 0
      ? `the lane ${work.lane} is free: a worker takes it within seconds`
      : `the lane ${work.lane} works on ${active} jobs at once and ${before} wait in it`;
  return { reason: "concurrency", message };
}

const ofLanes: ReadonlySet<string> = new Set(["concurrency", "rate", "bandwidth", "budget"]);

function waiting(group: OpenWork, wait: Wait, batches: number, standing: Standing): WaitingWork {
  const work = workOf(group);
  // Batches of a group are alike: its actions are shared out by their number.
  const share = batches / (group.pending + group.queued);
  return {
    work,
    wait,
    since: since(work, wait, standing),
    batches,
    actions: Math.round(group.actions * share),
    bytes: Math.round(group.bytes * share),
  };
}

/** The same reason for what was handed out and for what was not is one answer. */
function joined(found: readonly WaitingWork[]): readonly WaitingWork[] {
  const answers = new Map<string, WaitingWork>();
  for (const one of found) {
    const key = `${one.wait.reason} ${one.wait.message}`;
    const { batches, actions, bytes } = answers.get(key) ?? { batches: 0, actions: 0, bytes: 0 };
    answers.set(key, {
      ...one,
      batches: one.batches + batches,
      actions: one.actions + actions,
      bytes: one.bytes + bytes,
    });
  }
  return [...answers.values()];
}

function since(work: Work, wait: Wait, { held, pauses }: Standing): string | undefined {
  const noted = held.find(
    (each) => isSameWork(each.work, work) && each.wait.reason === wait.reason,
  );
  return (noted ?? pauses.find((pause) => resumeCommand(pause) === wait.remedy))?.since;
}

function workOf({ runId, policy, verb, source, target, victim, lane }: OpenWork): Work {
  return { runId, policy, verb, source, target, victim, lane, node: undefined };
}
