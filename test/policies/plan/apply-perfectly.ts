import type { Confidence } from "#model/copy.ts";
import type { PlanAction } from "#model/plan.ts";
import type { FixtureObject } from "./fixture-index.ts";
import { testNow } from "./rule-of.ts";

/** The objects as they would be if every action of a plan were done. */
export function applyPerfectly(
  objects: readonly FixtureObject[],
  actions: readonly PlanAction[],
): readonly FixtureObject[] {
  return objects.map((object) => {
    const copies: Record<number, Confidence> = { ...object.copies };
    let { tombstoned } = object;
    const own = actions.filter(({ objectId }) => objectId === object.id);
    for (const { target } of own) if (target !== null) copies[target] = "verified";
    for (const { victim, verb } of own) {
      if (victim !== null) delete copies[victim];
      if (verb === "tombstone") tombstoned = testNow;
    }
    return { ...object, copies, ...(tombstoned ? { tombstoned } : {}) };
  });
}
