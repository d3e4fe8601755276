import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { CID } from "multiformats/cid";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { fileBlocks } from "#content/file-blocks.ts";
import { encodeManifest } from "#engine/snapshots/snapshot-manifest.ts";
import { distinctParts, partObject } from "#engine/snapshots/snapshot-parts.ts";
import type { SnapshotStore, StoredSnapshot } from "#engine/snapshots/snapshot-store.ts";
import { summarise } from "#engine/snapshots/summarise.ts";
import { syncPath } from "#engine/snapshots/sync-path.ts";
import type { ByteStream } from "#model/driver.ts";
import type { SnapshotCar, SnapshotExportRequest } from "#model/index-snapshot.ts";

/** Writes a snapshot as one CAR, whole or not at all: its manifest, then each part once. */
export async function exportCar(
  store: SnapshotStore,
  { snapshot: reference, file }: SnapshotExportRequest,
): Promise<SnapshotCar> {
  const snapshot = await store.find(reference);
  const draft = `${file}.${randomUUID()}.part`;
  try {
    await pipeline(blocks(store, snapshot), createWriteStream(draft));
    await syncPath(draft);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  return { ...summarise(snapshot), file, carBytes: (await stat(file)).size };
}

/** The root is the manifest, whose links lead to everything else. */
async function* blocks(store: SnapshotStore, { cid, manifest }: StoredSnapshot): ByteStream {
  const root = CID.parse(cid);
  const { bytes } = encodeManifest(manifest);
  yield carHeader(root);
  yield carSectionHead(root, [bytes]);
  yield bytes;
  for (const part of distinctParts(manifest)) {
    yield* fileBlocks(createReadStream(await store.presentPart(part)), partObject(part));
  }
}
