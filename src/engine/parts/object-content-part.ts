import type { EngineContext } from "#engine/context.ts";
import { findSources } from "#engine/object-content/find-sources.ts";
import { readCopy } from "#engine/object-content/read-copy.ts";
import { storeObject } from "#engine/object-content/store-object.ts";
import type { ObjectContentApi } from "#model/object-content.ts";

/** Content that callers hand in and take out. */
export function objectContentPart(context: EngineContext): ObjectContentApi {
  return {
    storeObject: (request, bytes) => storeObject(context, request, bytes),
    objectSources: (reference) => findSources(context, reference),
    readObject: (request) => readCopy(context, request),
  };
}
