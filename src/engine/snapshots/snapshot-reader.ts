import type { Config } from "#config.ts";
import { resolveSecret } from "#config/resolve-secret.ts";
import { BackendPool } from "#engine/backend-pool.ts";
import { PolicyBook } from "#engine/policy-book.ts";
import { readingMethods } from "#engine/snapshots/reading-methods.ts";
import { SnapshotDesk } from "#engine/snapshots/snapshot-desk.ts";
import type { DriverDefinition } from "#model/driver.ts";
import type { ReadingApi, SnapshotApi } from "#model/snapshot-api.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";

export interface SnapshotReaderOptions {
  readonly config: Config;
  readonly definitions: ReadonlyMap<string, DriverDefinition>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

/** Answers from snapshots alone: on nodes without an index, beside one, or where one was lost. */
export interface SnapshotReader {
  readonly api: SnapshotApi & ReadingApi;
  close(): Promise<void>;
}

/** Opens no index and no queue, and makes none. */
export async function openSnapshotReader(options: SnapshotReaderOptions): Promise<SnapshotReader> {
  const { config, definitions, env, version } = options;
  const secrets = { env, directory: config.directory };
  const pool = new BackendPool({
    backends: config.backends,
    node: config.node,
    definitions,
    resolveSecret: (reference) => resolveSecret(reference, secrets),
  });
  const registry = await loadAttributes();
  const desk = new SnapshotDesk({ config, pool, installation: () => Promise.resolve(undefined) });
  const policies = new PolicyBook(config, registry);
  const reading = readingMethods({ config, version, registry, policies, snapshots: desk });
  return {
    api: { ...desk.methods, ...reading },
    close: async () => {
      await desk.close();
      await pool.close();
    },
  };
}
