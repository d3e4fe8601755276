import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "#api/client.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Run } from "#model/run.ts";
import { releaseHeld } from "./damage.ts";
import { giveUpWaiting } from "./give-up-waiting.ts";
import type { Stage } from "./stage.ts";

const readyTimeoutMs = 180_000;
/**
 * When nothing ends for so long, runs are stuck: permits run out, then the engine waits two
 * minutes, then it asks. A machine that is slow, and gets on, is not.
 */
const standstillMs = 8 * 60_000;
/** Nothing takes that long, however much gets done meanwhile. */
const settlingMax = 60 * 60_000;
const repairRoundsMax = 60;
const roundPauseMs = 3_000;
const roomEveryMs = 20_000;

/** What it took until everything was quiet. */
export interface Settlement {
  readonly elapsedMs: number;
  readonly repairRounds: number;
  /** What a last check of every copy found: these were then repaired. */
  readonly corruptFound: number;
  readonly absentFound: number;
}

/**
 * After the faults: lets everything come to rest, has every copy checked, and plans and applies
 * until nothing is left to do. What does not come to rest in time is a trouble.
 */
export async function settle(stage: Stage, progress: (line: string) => void): Promise<Settlement> {
  const started = performance.now();
  for (const server of stage.servers) {
    server.link?.set("pass");
    await server.start();
  }
  for (const node of stage.nodes) node.start();
  await stage.ready(readyTimeoutMs);
  await releaseHeld(stage);
  progress("settling: runs end");
  await endRuns(stage);
  progress("settling: every copy is checked");
  const found = { corrupt: 0, absent: 0 };
  for await (const step of (await stage.api()).verify({})) {
    if (step.type === "summary") Object.assign(found, step);
  }
  progress(`settling: ${found.corrupt} corrupt, ${found.absent} absent; repairing`);
  const repairRounds = await repair(stage, progress);
  const elapsedMs = Math.round(performance.now() - started);
  const { corrupt: corruptFound, absent: absentFound } = found;
  return { elapsedMs, repairRounds, corruptFound, absentFound };
}

/**
 * Resumes what is paused and waits until no run is open. Where nothing gets on, what waits for room
 * gets it from the plan that clears the full backend, or is given up, as an operator would.
 */
async function endRuns(stage: Stage): Promise<void> {
  const end = Date.now() + settlingMax;
  let [remaining, deadline, planAt] = [Number.NaN, 0, 0];
  for (;;) {
    const open = await patiently(stage, async (api) => {
      const runs = (await api.runs()).filter((run) => run.endedAt === undefined);
      for (const run of runs) if (run.state === "paused") await api.controlRun(run.id, "run");
      return runs;
    });
    if (open.length === 0) return;
    const now = open.reduce((sum, { progress }) => sum + progress.remaining, 0);
    // A plan made meanwhile adds work, which is no progress; what is done of it is.
    if (!(now >= remaining)) {
      [deadline, planAt] = [Date.now() + standstillMs, Date.now() + roomEveryMs];
    }
    remaining = now;
    if (Date.now() > Math.min(deadline, end)) {
      stage.troubles.push(...open.map(describeStuck));
      return;
    }
    if (Date.now() > planAt) {
      await patiently(stage, giveUpWaiting);
      await applyPlan(stage);
      planAt = Date.now() + roomEveryMs;
    }
    await sleep(500);
  }
}

function describeStuck({ id, state, progress }: Run): string {
  return `run ${id} is stuck: ${state}, ${progress.remaining} of ${progress.actions} remain`;
}

/** Plans and applies until a plan is empty; how many times that took. */
async function repair(stage: Stage, progress: (line: string) => void): Promise<number> {
  for (let round = 0; round < repairRoundsMax; round += 1) {
    const actions = await applyPlan(stage);
    // Two empty plans in a row: time alone brings no more work either.
    if (actions === 0) {
      await sleep(roundPauseMs);
      if ((await applyPlan(stage)) === 0) return round;
    }
    progress(`settling: round ${round + 1}, ${actions} actions`);
    await endRuns(stage);
    await sleep(roundPauseMs);
  }
  stage.troubles.push(`after ${repairRoundsMax} rounds of plan and apply there is still work`);
  return repairRoundsMax;
}

/** How many actions there are to do now; they are begun. */
function applyPlan(stage: Stage): Promise<number> {
  return patiently(stage, async (api) => {
    const { plan } = await api.plan({});
    const { actions } = plan.header.totals;
    if (actions > 0) await api.apply({ override: ["objects", "deletes", "capacity"] });
    return actions;
  });
}

/** Asks again while nobody answers: the controller may have been killed a moment ago. */
async function patiently<Value>(
  stage: Stage,
  ask: (api: ApiClient) => Promise<Value>,
): Promise<Value> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(await stage.api());
    } catch (thrown) {
      const error = EngineError.from(thrown);
      if (!error.retryable || attempt >= 30) throw error;
      await sleep(1_000);
    }
  }
}
