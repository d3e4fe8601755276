import * as fc from "fast-check";
import { expect, test } from "vitest";
import { judgeRemoval, type LivePermit } from "#index/runs/judge-removal.ts";
import type { PlanAction } from "#model/plan.ts";
import { applyPerfectly } from "./apply-perfectly.ts";
import { withoutLimits, type World, worlds } from "./arbitrary-world.ts";
import { type FixtureObject, openFixtureIndex } from "./fixture-index.ts";
import { withNames, withSpreads } from "./named-worlds.ts";
import { briefly, planOf } from "./plan-of.ts";
import { setOf } from "./rule-of.ts";

const runs = Number(process.env["PROPERTY_RUNS"] ?? 25);

/** What permits say of the removals of one object, when its copies are made and nothing else changed. */
function refused(
  world: World,
  object: FixtureObject,
  actions: readonly PlanAction[],
): readonly string[] {
  const removals = actions.filter(({ verb, victim }) => victim !== null && verb !== "delete");
  const made = actions.map((action) => ({ ...action, victim: null }));
  const [{ copies = {} } = {}] = applyPerfectly([object], made);
  const sameStorage = new Map(
    world.backends.flatMap(({ id, sameAs }) =>
      sameAs === undefined ? [] : [[id, new Set(sameAs)] as const],
    ),
  );
  const livePermits: LivePermit[] = [];
  return removals.flatMap(({ victim, requirements }) => {
    if (victim === null) return [];
    const judgement = judgeRemoval({
      authority: "surplus",
      victim,
      requirements,
      copies: Object.entries(copies).map(([backend, confidence]) => ({
        backendId: Number(backend),
        confidence,
        verifiedAt: undefined,
      })),
      held: false,
      tombstoned: false,
      livePermits: [...livePermits],
      plannedVictims: new Set(removals.flatMap((one) => one.victim ?? [])),
      minimumCopies: world.minimumCopies,
      sameStorage,
    });
    if (!judgement.permitted) return [`object ${object.id} from ${victim}: ${judgement.message}`];
    livePermits.push({ victim, reserved: new Set(judgement.reserved.keys()) });
    return [];
  });
}

const cases = fc.record({
  world: withSpreads(withNames(worlds)),
  isForward: fc.boolean(),
});

test("what a plan lets go its permits let go, in any order", { timeout: 1_200_000 }, async () => {
  const index = await openFixtureIndex();
  let removals = 0;
  const property = fc.asyncProperty(cases, async ({ world: bounded, isForward }) => {
    // What a limit cuts may be what another removal rests on.
    const world = withoutLimits(bounded);
    await index.put(world.objects);
    const set = setOf(world.backends, ...world.rules.map(({ rule }) => rule));
    const { actions } = await planOf(index, set, { minimumCopies: world.minimumCopies });
    const found = world.objects.flatMap((object) => {
      const own = actions.filter(({ objectId }) => objectId === object.id);
      return refused(world, object, isForward ? own : own.toReversed());
    });
    expect({ actions: briefly(actions), found }).toEqual({ actions: briefly(actions), found: [] });
    removals += actions.filter(({ victim }) => victim !== null).length;
  });
  await fc.assert(property, { numRuns: runs });
  expect(removals).toBeGreaterThan(0);
});
