import type { EngineContext } from "#engine/context.ts";

/** How much failure the policies take, told to the index, which counts. Before each run. */
export async function syncFailureLimits({
  index,
  policies,
  moment,
  now,
}: EngineContext): Promise<void> {
  const { failureLimits } = await policies.compileOrLastGood(await moment(now()));
  await index.failures.setLimits(failureLimits);
}
