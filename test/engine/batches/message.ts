import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { onTestFinished } from "vitest";
import { BatchRegistry, type BatchRegistryOptions } from "#engine/batches/batch-registry.ts";

/** A small Arrow file that nobody else makes. */
export function message(number: number, from = 0): Uint8Array {
  const columns = { from: Int32Array.of(from), number: Float64Array.of(number) };
  return tableToIPC(tableFromArrays(columns), "file");
}

/** A registry in a folder that is gone after the test. */
export async function openRegistry(options: BatchRegistryOptions = {}): Promise<BatchRegistry> {
  const directory = await mkdtemp(join(tmpdir(), "thermocline-batches-"));
  const registry = new BatchRegistry(directory, { durable: false, ...options });
  onTestFinished(async () => {
    registry.close();
    await rm(directory, { recursive: true, force: true });
  });
  return registry;
}
