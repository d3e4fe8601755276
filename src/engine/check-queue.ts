import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { checkQueueOwner } from "#engine/queue-owner.ts";
import { checkQueueServer } from "#jobs/checks/check-queue-server.ts";
import type { Check } from "#model/check.ts";

/** Whether the queue of a configuration is there and set up well. */
export async function checkQueue(
  config: Config,
  resolveReference: (text: string) => Promise<string>,
): Promise<readonly Check[]> {
  const needs = {
    namespace: queueNamespace(config),
    lanes: config.backends.length,
    clockSkewMs: config.safety.clockSkewMs,
  };
  if (config.queue.url === "embedded") {
    const directory = dataPaths(config.dataDirectory).queue;
    return checkQueueServer({ embedded: { directory } }, needs, clock);
  }
  const url = await resolveReference(config.queue.url);
  const checks = await checkQueueServer({ url }, needs, clock);
  return [...checks, ...(await checkQueueOwner(config, { url, namespace: needs.namespace }))];
}

function clock(): Date {
  return new Date();
}

/** Under which name an installation keeps its queues on a server. */
export function queueNamespace(config: Config): string {
  return config.queue.prefix.replaceAll(/[^a-z0-9_]/g, "_");
}
