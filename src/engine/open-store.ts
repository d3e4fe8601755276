import { dataPaths } from "#config/data-paths.ts";
import { queueNamespace } from "#engine/check-queue.ts";
import { startTelemetry, type TelemetryOptions } from "#engine/telemetry/start-telemetry.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";

export interface StoreOptions extends TelemetryOptions {
  resolveReference(text: string): Promise<string>;
}

/** Where jobs wait, as the configuration says, watched if that is asked for; the signal ends waits. */
export async function openStore(options: StoreOptions, signal?: AbortSignal): Promise<QueueStore> {
  const { config, onError } = options;
  const location =
    config.queue.url === "embedded"
      ? { embedded: { directory: dataPaths(config.dataDirectory).queue } }
      : { url: await options.resolveReference(config.queue.url) };
  const telemetry = await startTelemetry(options);
  const namespace = queueNamespace(config);
  try {
    const store = await openQueueStore({ ...location, namespace, telemetry, onError, signal });
    if (telemetry === undefined) return store;
    return {
      ...store,
      close: async () => {
        await store.close();
        await telemetry.close();
      },
    };
  } catch (error) {
    await telemetry?.close();
    throw error;
  }
}
