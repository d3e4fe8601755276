import { sameStorages } from "#index/same-storages.ts";
import type { StoredPermit } from "#index/runs/permit-store.ts";
import { refreshSummaries } from "#index/summaries.ts";
import type { Transaction } from "#index/transaction.ts";

/**
 * What a removal took it may have taken from the other names of the storage too: copies there are
 * claimed again, so that nothing counts on them, and a scrub looks at them before those that were
 * verified. They are not gone: a cluster may have other nodes that hold them.
 */
export async function doubtOtherNames(
  transaction: Transaction,
  gone: readonly Pick<StoredPermit, "objectId" | "backendId">[],
  now: Date,
): Promise<void> {
  if (gone.length === 0) return;
  const same = await sameStorages(transaction.connection, now);
  const doubted = gone.flatMap(({ objectId, backendId }) =>
    [...(same.get(backendId) ?? [])].map((other) => [objectId, other]),
  );
  if (doubted.length === 0) return;
  await transaction.stage(
    "doubted_copies",
    { object_id: "BIGINT", backend_id: "INTEGER" },
    doubted,
  );
  await transaction.run(
    `UPDATE copies SET confidence = 'claimed', verified_at = NULL
     WHERE state = 'present' AND (object_id, backend_id) IN (FROM doubted_copies)`,
  );
  await transaction.run(
    "CREATE OR REPLACE TEMP TABLE doubted_objects AS SELECT DISTINCT object_id FROM doubted_copies",
  );
  await refreshSummaries(transaction, "doubted_objects");
}
