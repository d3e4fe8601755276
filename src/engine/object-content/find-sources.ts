import type { EngineContext } from "#engine/context.ts";
import { showObject } from "#engine/objects.ts";
import { confidences, tiers } from "#model/copy.ts";
import type { Confidence, Form } from "#model/copy.ts";
import type { ObjectSource, ObjectSources } from "#model/object-content.ts";

/** Where an object can be read: the warmest copy first, of those the best verified. */
export async function findSources(
  context: EngineContext,
  reference: string,
): Promise<ObjectSources> {
  const { cid, size, profile, type, names, copies } = await showObject(context, reference);
  const tierOf = new Map((await context.index.backends()).map(({ name, tier }) => [name, tier]));
  const present = copies.filter(({ state }) => state === "present");
  const sources = present.flatMap(({ backend, form, confidence }): readonly ObjectSource[] => {
    const tier = tierOf.get(backend);
    if (tier === undefined) return [];
    // The index says of both what the model does.
    return [{ backend, tier, form: form as Form, confidence: confidence as Confidence }];
  });
  const damaged = copies.filter(({ state }) => state !== "present");
  return {
    cid,
    size,
    profile,
    type,
    names,
    sources: sources.toSorted(byWarmth),
    damaged: damaged.map(({ backend }) => backend),
  };
}

function byWarmth(a: ObjectSource, b: ObjectSource): number {
  return (
    tiers.indexOf(a.tier) - tiers.indexOf(b.tier) ||
    confidences.indexOf(b.confidence) - confidences.indexOf(a.confidence) ||
    (a.backend < b.backend ? -1 : 1)
  );
}
