import { join } from "node:path";

/** Where things lie in the data directory; the one place that names them. */
export function dataPaths(dataDirectory: string) {
  return {
    /** Address of the running controller (src/api/controller-state.ts). */
    controllerState: join(dataDirectory, "controller.json"),
    apiToken: join(dataDirectory, "api.token"),
    apiSocket: join(dataDirectory, "api.sock"),
    /** Tells this data directory from every other one. */
    identity: join(dataDirectory, "identity"),
    /** The DuckDB database of the index. */
    index: join(dataDirectory, "index.duckdb"),
    /** Snapshots of the index, by CID. */
    snapshots: join(dataDirectory, "snapshots"),
    /** Record batches by CID, and the journal that tells of them. */
    batches: join(dataDirectory, "batches"),
    /** The embedded PostgreSQL of the queue. */
    queue: join(dataDirectory, "queue"),
    /** Plans that runs refer to. */
    plans: join(dataDirectory, "plans"),
    /** Malformed lines of access logs. */
    accessLogs: join(dataDirectory, "access-logs"),
    /** Malformed rows of manifests, and listings that inventories are taking. */
    imports: join(dataDirectory, "imports"),
    /** Reports of internal errors. */
    reports: join(dataDirectory, "reports"),
  } as const;
}
