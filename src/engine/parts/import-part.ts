import type { EngineContext } from "#engine/context.ts";
import { importManifest } from "#engine/imports/import-manifest.ts";
import { exportDrift, lastInventories, listDrift } from "#engine/imports/list-drift.ts";
import { takeInventory } from "#engine/imports/take-inventory.ts";
import type { EngineApi } from "#model/engine-api.ts";

type ImportPart = Pick<
  EngineApi,
  "importManifest" | "importInventory" | "inventories" | "drift" | "exportDrift"
>;

/** What is stored already: entered from lists of it, and held against what is believed. */
export function importPart(context: EngineContext): ImportPart {
  return {
    importManifest: (request) => importManifest(context, request),
    importInventory: (request) => takeInventory(context, request),
    inventories: () => lastInventories(context),
    drift: (request) => listDrift(context, request),
    exportDrift: (request) => exportDrift(context, request),
  };
}
