import type { BatchRegistry } from "#engine/batches/batch-registry.ts";
import type { EngineContext } from "#engine/context.ts";
import { readingSource } from "#engine/snapshots/reading-source.ts";
import { storedPlan } from "#engine/planning.ts";
import { EngineError } from "#model/engine-error.ts";
import type { BatchPublishRequest, BatchRecord } from "#model/record-batch.ts";
import { sql, toStatement } from "#policies/sql-fragment.ts";

/** Publishes the rows of a query, of a plan, or of an Arrow file. */
export async function publishBatch(
  context: EngineContext,
  registry: BatchRegistry,
  { query, plan, file, snapshot, tags = {} }: BatchPublishRequest,
): Promise<BatchRecord> {
  if ([query, plan, file].filter((source) => source !== undefined).length !== 1) {
    throw new EngineError("USAGE", "a batch has one source: a query, a plan or a file", {
      hint: "give exactly one of them",
    });
  }
  if (file !== undefined) return await registry.publishFile(file, tags);
  if (query !== undefined) {
    await using source = await readingSource(context, snapshot);
    await using session = await source.index.session();
    const asOf = source.snapshot === undefined ? {} : { snapshot: source.snapshot };
    return await registry.publish(session.userArrow(query, "file"), { ...tags, ...asOf });
  }
  await using session = await context.index.session();
  const { cid, rowsPath } = await storedPlan(context, plan ?? "");
  const rows = toStatement(sql`SELECT * FROM read_parquet(${rowsPath}) ORDER BY sequence`);
  // Whoever looks for the rows of a plan finds them by its CID.
  return await registry.publish(session.arrow(rows, "file"), { ...tags, plan: cid });
}
