import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { RemoteSnapshots } from "#engine/snapshots/remote-snapshots.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import local from "#drivers/local/local.ts";
import { requireNamedFiles } from "#model/require-named-files.ts";

/** A local backend that keeps snapshots, and its folder. */
export async function farStore(): Promise<{ folder: string; remote: RemoteSnapshots }> {
  const folder = await emptyFolder();
  return { folder, remote: await openFarStore(folder) };
}

/** One more view of the same backend. */
export async function openFarStore(folder: string): Promise<RemoteSnapshots> {
  const driver = await local.open({
    backend: "far",
    options: local.options.parse({ path: folder }),
    capacityBytes: undefined,
    secret: () => Promise.reject(new Error("no secret is needed")),
  });
  return new RemoteSnapshots("far", requireNamedFiles(driver, "far"));
}

/** Where nothing has been fetched yet. */
export async function emptyStore(): Promise<SnapshotStore> {
  return new SnapshotStore(join(await emptyFolder(), "snapshots"));
}

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-far-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
