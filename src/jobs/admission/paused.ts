import type { AdmissionRule } from "#jobs/admission.ts";
import { type Pause, resumeCommand, targetWords } from "#model/control.ts";
import type { NodeOrders } from "#model/node.ts";
import type { Wait, Work } from "#model/wait.ts";

/** Where the standing pauses are kept. */
export interface PauseStore {
  pauses(): Promise<readonly Pause[]>;
  /** Ends those whose time is over, and says so in the ledger. */
  endExpiredPauses(now: Date): Promise<void>;
}

/** Holds back the work of what somebody paused: a run, policy, backend, node, or everything. */
export function pausedRule(store: PauseStore): AdmissionRule {
  let pauses: readonly Pause[] = [];
  return {
    name: "paused",
    async refresh(now) {
      pauses = await store.pauses();
      if (pauses.some((pause) => isOver(pause, now))) await store.endExpiredPauses(now);
    },
    judge(work, now) {
      const pause = pauses.find((each) => !isOver(each, now) && concerns(each, work));
      return pause && waitOf(pause);
    },
  };
}

/** What a node is told: while it, or everything, is paused it takes no jobs from its lanes. */
export function ordersFor(node: string, pauses: readonly Pause[], now: Date): NodeOrders {
  const concerned = (pause: Pause) =>
    pause.scope === "everything" || (pause.scope === "node" && pause.name === node);
  const pause = pauses.find((each) => !isOver(each, now) && concerned(each));
  const at = now.toISOString();
  return pause === undefined ? { at } : { at, paused: waitOf(pause).message };
}

/** Why work waits that this pause holds back. */
export function waitOf(pause: Pause): Wait {
  const { reason, actor, since, until } = pause;
  const why = reason === "" ? "" : `: ${reason}`;
  return {
    reason: "paused",
    message: `${targetWords(pause)} is paused by ${actor} since ${since}${why}`,
    ...(until === undefined ? {} : { until }),
    remedy: resumeCommand(pause),
  };
}

function isOver({ until }: Pause, now: Date): boolean {
  return until !== undefined && Date.parse(until) <= now.getTime();
}

function concerns({ scope, name }: Pause, work: Work): boolean {
  if (scope === "everything") return true;
  const named: Readonly<Record<typeof scope, readonly (string | null | undefined)[]>> = {
    run: [work.runId],
    policy: [work.policy],
    backend: [work.source, work.target, work.victim],
    node: [work.node],
  };
  return named[scope].includes(name);
}
