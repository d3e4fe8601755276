import type { ObjectIndex } from "#index/object-index.ts";
import type { ObjectSource } from "#engine/objects.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";

/** An index, at a time, as the engine asks it. */
export async function indexSource(index: ObjectIndex, now: Date): Promise<ObjectSource> {
  return {
    index,
    registry: await loadAttributes(),
    now: () => now,
    moment: async (at) => ({ now: at, backends: await index.backends(), heat: await index.heat() }),
  };
}
