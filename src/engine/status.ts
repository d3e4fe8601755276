import type { EngineContext } from "#engine/context.ts";
import type { EngineStatus, EngineTrouble, NodeState } from "#model/engine-api.ts";
import type { LeaderState } from "#model/leader-state.ts";
import type { HeldWork } from "#model/wait.ts";

/** Runs shown with the status, the newest. */
const runsShown = 10;

/** One screen about everything: what is stored, whether enough of it, what runs, who works. */
export async function engineStatus(
  context: EngineContext,
  facts: {
    readonly queue: string;
    readonly startedAt: Date;
    readonly leader: LeaderState | undefined;
    readonly nodes: readonly NodeState[];
    readonly held: readonly HeldWork[];
  },
): Promise<EngineStatus> {
  const { index, config, version } = context;
  const totals = await index.totals(config.safety.minimumCopies);
  return {
    version,
    dataDirectory: config.dataDirectory,
    queue: facts.queue,
    startedAt: facts.startedAt.toISOString(),
    leader: facts.leader,
    ...totals,
    runs: (await index.runs()).slice(0, runsShown),
    held: facts.held,
    trouble: await troubleOf(context),
    nodes: facts.nodes,
  };
}

async function troubleOf({ index, watch }: EngineContext): Promise<EngineTrouble> {
  const { open, lost } = await index.failures.countRepairs();
  return {
    ...(await index.failures.counts()),
    suspended: await index.failures.suspensions(),
    repairs: open,
    lost,
    backends: watch.health().filter(({ state }) => state !== "up"),
  };
}
