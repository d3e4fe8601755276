import type { Confidence } from "#model/copy.ts";
import type { PlanAction } from "#model/plan.ts";
import type { FixtureLease, FixtureObject } from "./fixture-index.ts";
import { testNow } from "./rule-of.ts";

/**
 * The objects as they would be if every action of a plan were done. `leased` names the rules
 * whose copies are wanted for a time.
 */
export function applyPerfectly(
  objects: readonly FixtureObject[],
  actions: readonly PlanAction[],
  leased: readonly string[] = [],
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
    const made = own.flatMap(({ target, rule }): readonly FixtureLease[] =>
      target === null || object.copies?.[target] !== undefined || !leased.includes(rule)
        ? []
        : [{ rule, backend: target, since: testNow }],
    );
    const leases = [...(object.leases ?? []), ...made].map(({ backend, ...lease }) =>
      backend === undefined || copies[backend] === undefined ? lease : { ...lease, backend },
    );
    return { ...object, copies, leases, ...(tombstoned ? { tombstoned } : {}) };
  });
}
