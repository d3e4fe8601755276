import type { ClearOptions } from "#model/driver.ts";
import type { GarbageStep } from "#model/garbage.ts";
import type { KuboNode } from "#drivers/kubo/kubo-node.ts";

/** So often a collection says how far it is: a node tells of each block. */
const toldEvery = 1_000;

/**
 * Has a node drop every block that no pin and none of its own files (MFS) need. It imports nothing
 * meanwhile: writes wait for the end. What it would drop it does not say beforehand.
 */
export async function* collectGarbage(
  node: KuboNode,
  { dryRun, signal }: ClearOptions,
): AsyncGenerator<GarbageStep> {
  const { usedBytes: usedBytesBefore, maxBytes: totalBytes } = await node.room(signal);
  const blocksBefore = dryRun === true ? await node.storedBlocks(signal) : undefined;
  const before = { blocksBefore, usedBytesBefore, totalBytes };
  yield { ...before, blocks: 0, usedBytes: undefined };
  if (dryRun === true) return;
  let blocks = 0;
  for await (const _ of node.collectGarbage(signal)) {
    blocks += 1;
    if (blocks % toldEvery === 0) yield { ...before, blocks, usedBytes: undefined };
  }
  const { usedBytes } = await node.room(signal);
  yield { ...before, blocks, usedBytes };
}
