import type { EngineContext } from "#engine/context.ts";
import type { Execution } from "#engine/execution.ts";
import { laneNamesOf, type Standing } from "#engine/why/standing.ts";
import type { LaneView, QueueView } from "#jobs/queue-view.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { OpenWork } from "#model/why.ts";

/** A backend that hangs must not make the answer hang. */
const statusTimeoutMs = 5_000;

/** Looks at everything that may hold this work back. */
export async function gatherStanding(
  context: EngineContext,
  execution: Execution,
  nodes: EngineApi["nodes"],
  work: readonly OpenWork[],
): Promise<Standing> {
  const { index, now } = context;
  await execution.admission.refresh(now());
  const runtime = await execution.runtime();
  const names = (pick: (group: OpenWork) => readonly (string | null)[]) => [
    ...new Set(work.flatMap(pick).filter((name) => name !== null)),
  ];
  const backends = names(({ source, target, victim }) => [source, target, victim]);
  const lanes = names(laneNamesOf);
  const runs = await index.runs();
  const pauses = await index.controls.pauses();
  // A queue and backends that do not answer are waited for at the same time.
  const [held, known, views, commits, silent] = await Promise.all([
    execution.held(),
    nodes(),
    lanesOf(runtime?.queue, lanes),
    runtime?.queue.commits().catch(() => []) ?? [],
    silentBackends(context, backends),
  ]);
  return {
    pausedRuns: new Set(runs.filter(({ state }) => state === "paused").map(({ id }) => id)),
    pauses,
    held,
    nodes: known,
    lanes: views,
    commits,
    silent,
    dispatches: runtime !== undefined,
    judge: (one) => execution.admission.judge(one, now()),
  };
}

async function lanesOf(
  queue: QueueView | undefined,
  lanes: readonly string[],
): Promise<ReadonlyMap<string, LaneView | string>> {
  if (queue === undefined) return new Map();
  const look = async (lane: string) => {
    const view = await queue.lane(lane).catch((error: unknown) => EngineError.from(error).message);
    return [lane, view] as const;
  };
  return new Map(await Promise.all(lanes.map(look)));
}

async function silentBackends(
  { pool }: EngineContext,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const ask = async (name: string) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const timer = setTimeout(resolve, statusTimeoutMs, "no answer in time");
    const status = await Promise.race([pool.status(name), promise]);
    clearTimeout(timer);
    return [name, status] as const;
  };
  const answers = await Promise.all(names.map(ask));
  return new Map(
    answers.flatMap(([name, status]) => (typeof status === "string" ? [[name, status]] : [])),
  );
}
