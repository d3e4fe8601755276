import { createReadStream } from "node:fs";
import { dataPaths } from "#config/data-paths.ts";
import { BatchRegistry } from "#engine/batches/batch-registry.ts";
import { batchesInUse } from "#engine/batches/batches-in-use.ts";
import { collectBatches } from "#engine/batches/collect-batches.ts";
import { exportBatch } from "#engine/batches/export-batch.ts";
import { publishBatch } from "#engine/batches/publish-batch.ts";
import type { EngineContext } from "#engine/context.ts";
import type { BatchApi } from "#model/batch-api.ts";
import type { BatchCheck, BatchRecord, BatchTags } from "#model/record-batch.ts";

/** Record batches in the data directory, for other processes and languages. */
export function batchPart(context: EngineContext): BatchApi & { closeBatches(): void } {
  const { now } = context;
  const registry = new BatchRegistry(dataPaths(context.config.dataDirectory).batches, { now });
  const followers = new Set<{ end(): void }>();
  return {
    publishBatch: (request) => publishBatch(context, registry, request),
    async batches({ tags = {}, limit }) {
      const batches = await registry.list();
      return batches.filter((batch) => hasTags(batch, tags)).slice(0, limit);
    },
    async *batch(reference) {
      const { cid } = await registry.find(reference);
      for await (const bytes of createReadStream(await registry.verified(cid))) {
        yield bytes as Buffer;
      }
    },
    followBatches(after) {
      const follower = registry.follow(after, () => followers.delete(follower));
      followers.add(follower);
      return follower;
    },
    async checkBatches(references) {
      const batches =
        references === undefined
          ? await registry.list()
          : await Promise.all(references.map((reference) => registry.find(reference)));
      const checks: BatchCheck[] = [];
      for (const { cid } of batches) checks.push(await registry.check(cid));
      return checks;
    },
    exportBatch: (request) => exportBatch(registry, request),
    collectBatches: async (request) => {
      const inUse = await batchesInUse(context);
      return await collectBatches(registry, { ...request, inUse, now: now() });
    },
    closeBatches() {
      for (const follower of followers) follower.end();
      registry.close();
    },
  };
}

function hasTags(batch: BatchRecord, tags: BatchTags): boolean {
  return Object.entries(tags).every(([name, value]) => batch.tags[name] === value);
}
