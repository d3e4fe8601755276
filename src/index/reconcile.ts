import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backendIds, requireBackend } from "#index/backends.ts";
import type { Database } from "#index/database.ts";
import { ListingComparison, pieceRowsWithin } from "#index/inventories/listing-comparison.ts";
import { ListingStage } from "#index/inventories/listing-stage.ts";
import type { ListedCopy } from "#model/driver.ts";
import type { DriftReport } from "#model/index-store.ts";

/**
 * Compares what a backend lists with what the index believes of it, and corrects the index:
 * copies that are not listed are lost, listed ones that were not known are added (as `listed`),
 * ones whose size is another are corrupt, and what is known as corrupt stays so. A listing may
 * take hours, so it is collected beside the writer, and copies that changed since it began are
 * left as they are.
 */
export async function reconcile(
  database: Database,
  backend: string,
  listed: AsyncIterable<ListedCopy>,
  now: Date,
): Promise<DriftReport> {
  const connection = await database.connect();
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), "thermocline-listing-"));
    const backendId = requireBackend(await backendIds(connection), backend);
    const stage = await ListingStage.begin(connection, "listing");
    let entries = 0;
    for await (const copy of listed) {
      await stage.add(copy);
      entries += 1;
    }
    await stage.flush();
    const facts = { id: randomUUID(), foreign: 0, backend, backendId, source: "listing" };
    const listing = { ...facts, parts: 0, entries, begunAt: now, asOf: now, doubtSince: now };
    const comparison = await ListingComparison.begin(
      [database, connection],
      listing,
      {
        scratch: join(folder, "compared"),
        pieceRows: pieceRowsWithin(database.memoryBytes),
        dryRun: false,
        now: () => now,
      },
      undefined,
    );
    for await (const _ of comparison.resolve()) continue;
    for await (const _ of comparison.compare()) continue;
    return await comparison.end();
  } finally {
    connection.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}
