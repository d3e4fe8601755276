import { randomUUID } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import type { FileAddress } from "#content/file-hasher.ts";
import { damagedBatch, unwritableBatch } from "#engine/batches/batch-error.ts";
import { batchProfile } from "#engine/batches/batch-registry.ts";
import { writeAddressed } from "#engine/batches/write-addressed.ts";

/**
 * Keeps the bytes of a batch that came from elsewhere, if they have the CID that was asked for.
 * The file appears whole or not at all.
 */
export async function receiveBatch(
  reference: string,
  bytes: AsyncIterable<Uint8Array>,
  file: string,
): Promise<FileAddress> {
  const draft = `${file}.${randomUUID()}.part`;
  const pieces = async function* () {
    for await (const piece of bytes) yield [piece];
  };
  try {
    const found = await writeAddressed(draft, pieces(), { profile: batchProfile, durable: false });
    if (reference !== "newest" && !found.cid.startsWith(reference)) throw damagedBatch(reference);
    await rename(draft, file);
    return found;
  } catch (error) {
    throw unwritableBatch(file, error);
  } finally {
    await rm(draft, { force: true });
  }
}
