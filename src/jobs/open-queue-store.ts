import { openEmbeddedPostgres } from "#jobs/embedded-postgres.ts";
import { openPostgresStore } from "#jobs/postgres-store.ts";
import { queueKind } from "#jobs/queue-kind.ts";
import {
  defaultNamespace,
  hidePassword,
  type QueueStore,
  type QueueStoreOptions,
} from "#jobs/queue-store.ts";
import { openRedisStore } from "#jobs/redis-store.ts";
import { EngineError } from "#model/engine-error.ts";

/**
 * Opens the queue store of a `redis://`, `rediss://` or `postgres://` URL, or the PostgreSQL
 * server embedded in a data directory. UNAVAILABLE when nobody answers.
 */
export async function openQueueStore(options: QueueStoreOptions): Promise<QueueStore> {
  const namespace = options.namespace ?? defaultNamespace;
  const { telemetry, signal, onError = () => undefined } = options;
  if (!/^[a-z][a-z0-9_]{0,40}$/.test(namespace)) {
    throw new EngineError("USAGE", `"${namespace}" is not a queue namespace`, {
      hint: "use small letters, digits and underscores, a letter first",
    });
  }
  if ("embedded" in options) {
    const { directory } = options.embedded;
    const server = await openEmbeddedPostgres(directory, { onWait: onError, signal });
    return openPostgresStore(server.url, {
      namespace,
      onError,
      telemetry,
      release: () => server.close(),
    });
  }
  const kind = queueKind(options.url);
  if (kind === "redis") {
    return openRedisStore(options.url, { namespace, onError, telemetry });
  }
  if (kind === "postgresql") {
    return openPostgresStore(options.url, {
      namespace,
      onError,
      telemetry,
      release: async () => undefined,
    });
  }
  throw new EngineError("USAGE", `"${hidePassword(options.url)}" is not a queue URL`, {
    hint: "write redis://host:6379, rediss://… or postgres://user@host/database",
  });
}
