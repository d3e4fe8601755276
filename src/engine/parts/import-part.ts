import type { EngineContext } from "#engine/context.ts";
import { importManifest } from "#engine/imports/import-manifest.ts";
import type { EngineApi } from "#model/engine-api.ts";

type ImportPart = Pick<EngineApi, "importManifest">;

/** What is stored already: entered from lists of it. */
export function importPart(context: EngineContext): ImportPart {
  return {
    importManifest: (request) => importManifest(context, request),
  };
}
