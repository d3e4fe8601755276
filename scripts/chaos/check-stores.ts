import { type AuditReport, rehashStores } from "../rehash-stores.ts";
import type { Stage } from "./stage.ts";

/** What the stores hold in truth, hashed by a program that shares no code with the engine. */
export interface StoreFacts extends AuditReport {
  readonly deleted: number;
}

/** Verified copies of everything, and of what the policy wants twice. */
const minimum = 1;
const wanted = 2;

/** Re-hashes every file and compares with what every object that was not deleted must have. */
export async function checkStores(stage: Stage): Promise<StoreFacts> {
  const api = await stage.api();
  const gone = new Set<number>();
  const scratch = new Set<number>();
  const tombstoned = "SELECT object_id FROM object WHERE tombstoned IS NOT NULL";
  for await (const { rows } of api.query(tombstoned)) {
    for (const row of rows) gone.add(Number(row["object_id"]));
  }
  for await (const { rows } of api.query("SELECT object_id FROM tag WHERE tag = 'scratch'")) {
    for (const row of rows) scratch.add(Number(row["object_id"]));
  }
  const objects = await api.objects({ limit: 1_000_000 });
  const living = objects.filter(({ objectId }) => !gone.has(objectId));
  const promises = living.map(({ objectId, cid, backends }) => ({
    cid,
    backends,
    atLeast: scratch.has(objectId) ? minimum : wanted,
  }));
  const report = await rehashStores(stage.storages, promises);
  return { ...report, deleted: objects.length - living.length };
}
