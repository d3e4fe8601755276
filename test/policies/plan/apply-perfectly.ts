import type { Confidence } from "#model/copy.ts";
import type { PlanAction } from "#model/plan.ts";
import type { FixtureLease, FixtureObject } from "./fixture-index.ts";
import { testNow } from "./rule-of.ts";

/** What rules with `run: tag` say, wherever worlds have one. */
export const tagOrder = {
  action: "tag",
  add: ["seen"],
  remove: ["new"],
  set: { by: "us" },
} as const;

function tagged(tags: readonly string[]): readonly string[] {
  const kept = tags.filter((tag) => tag !== "new" && !tag.startsWith("by="));
  return [...new Set([...kept, "seen", "by=us"])];
}

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
    const checked: Record<number, Date> = { ...object.checked };
    let { tags = [] } = object;
    const own = actions.filter(({ objectId }) => objectId === object.id);
    for (const { target, source, verb } of own) {
      if (verb === "tag") tags = tagged(tags);
      const read = verb === "verify" ? source : target;
      if (read === null) continue;
      copies[read] = "verified";
      checked[read] = testNow;
    }
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
    const times = object.checked === undefined ? {} : { checked };
    return { ...object, copies, tags, leases, ...times, ...(tombstoned ? { tombstoned } : {}) };
  });
}
