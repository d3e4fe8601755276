import { openPostgresLeaseStore } from "#jobs/lease/postgres-lease-store.ts";
import { openRedisLeaseStore } from "#jobs/lease/redis-lease-store.ts";
import { queueKind } from "#jobs/queue-kind.ts";

/** The installation that queues belong to; undefined when none has used them, or none can be asked. */
export async function readQueueOwner(url: string, namespace: string): Promise<string | undefined> {
  const store =
    queueKind(url) === "redis"
      ? openRedisLeaseStore(url, { prefix: `{${namespace}}`, onError })
      : openPostgresLeaseStore(url, { schema: namespace, onError });
  try {
    return await store.owner();
  } catch {
    return undefined;
  } finally {
    await store.close();
  }
}

function onError(): void {
  // What matters arrives as the answer.
}
