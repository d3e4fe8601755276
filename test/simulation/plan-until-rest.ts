import type { ClusterParts } from "./cluster.ts";

const roundsMax = 15;
const betweenMs = 60_000;
const endWithinMs = 20 * 60_000;
const lookEveryMs = 5_000;

/**
 * Plans and runs what is planned until nothing is left to want: nothing goes wrong any more, so
 * that has to come. Grace periods and permits that still count pass between two rounds.
 */
export async function planUntilRest(parts: ClusterParts): Promise<void> {
  const { index, scheduler, promises, setup } = parts;
  if (setup.planned !== true || index.plan === undefined) return;
  const broken = () => promises.violations.length > 0;
  let empty = 0;
  for (let round = 0; round < roundsMax && empty < 2 && !broken(); round += 1) {
    await scheduler.run(scheduler.now + betweenMs, broken);
    const plan = await index.plan(setup.minimumCopies, new Date());
    const { actions } = plan.header.totals;
    scheduler.note(() => `${actions} actions are planned after the end`);
    empty = actions === 0 ? empty + 1 : 0;
    if (actions === 0) continue;
    await index.beginPlan?.(plan, new Date());
    const last = scheduler.now + endWithinMs;
    for (let open = true; open && !broken() && scheduler.now < last;) {
      await scheduler.run(scheduler.now + lookEveryMs, broken);
      open = (await index.runs()).some((run) => run.endedAt === undefined);
    }
  }
  if (empty < 2 && !broken()) {
    promises.violations.push(`after ${roundsMax} more plans there is still something to do`);
  }
}
