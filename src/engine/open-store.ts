import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { queueNamespace } from "#engine/check-queue.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import type { EngineError } from "#model/engine-error.ts";

export interface StoreOptions {
  readonly config: Config;
  resolveReference(text: string): Promise<string>;
  readonly onError: (error: EngineError) => void;
}

/** Where jobs wait, as the configuration says. */
export async function openStore(options: StoreOptions): Promise<QueueStore> {
  const { config, onError } = options;
  const namespace = queueNamespace(config);
  if (config.queue.url === "embedded") {
    const directory = dataPaths(config.dataDirectory).queue;
    return openQueueStore({ embedded: { directory }, namespace, onError });
  }
  const url = await options.resolveReference(config.queue.url);
  return openQueueStore({ url, namespace, onError });
}
