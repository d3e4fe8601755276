import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { PlanAction } from "#model/plan.ts";
import { applyPerfectly } from "./apply-perfectly.ts";
import { tombstones, withoutBounds, type World, worldsWithRuns } from "./arbitrary-world.ts";
import { openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { planViolations } from "./plan-violations.ts";
import { setOf } from "./rule-of.ts";

const runs = Number(process.env["PROPERTY_RUNS"] ?? 25);
const headRoomShare = 0.1;

/** Random worlds with random tombstones; what lies in `objects` is what the index holds. */
const worldsWithTombstones = fc
  .tuple(worldsWithRuns, fc.option(tombstones))
  .map(([world, marks]) => ({
    ...world,
    objects: world.objects.map((object, at) => {
      const tombstoned = marks?.[at];
      return tombstoned ? { ...object, tombstoned } : object;
    }),
  }));

function worldSet(world: World) {
  return setOf(world.backends, ...world.rules.map(({ rule }) => rule));
}

test("whatever the policies say, a plan keeps its promises", { timeout: 1_200_000 }, async () => {
  const index = await openFixtureIndex();
  await fc.assert(
    fc.asyncProperty(worldsWithTombstones, async (world) => {
      await index.put(world.objects);
      const { minimumCopies } = world;
      const options = { minimumCopies, headRoomShare };
      const { plan, actions } = await planOf(index, worldSet(world), options);
      expect(planViolations(world, actions, headRoomShare)).toEqual([]);
      expect(actions.map(({ sequence }) => sequence)).toEqual(actions.map((_, at) => at));
      const guards = plan.header.guards.filter(({ guard }) => /copies|capacity/.test(guard));
      expect(guards.map(({ passed }) => passed)).toEqual([true, true]);
    }),
    { numRuns: runs },
  );
});

test("planning after a perfect apply yields nothing", { timeout: 1_200_000 }, async () => {
  const index = await openFixtureIndex();
  await fc.assert(
    fc.asyncProperty(worldsWithTombstones, async (world) => {
      await index.put(world.objects);
      const { minimumCopies } = world;
      // Limits and full backends leave work for a later plan on purpose.
      const unbounded = withoutBounds(world);
      const first = await planOf(index, worldSet(unbounded), { minimumCopies });
      // An only copy that is not verified can be checked once this plan has made another one.
      // What a collection leaves undone may be what another rule had counted on.
      const { blocked } = first.plan.header;
      fc.pre(!blocked.some(({ reason }) => reason === "unverified" || reason === "group"));
      // A check makes copies surer than this plan knew them: a later one may go by that.
      const levels = new Map(world.objects.map(({ id, copies }) => [id, copies]));
      const sure = ({ verb, objectId, source }: PlanAction) =>
        verb !== "verify" || levels.get(objectId)?.[source ?? -1] === "verified";
      fc.pre(first.actions.every(sure));
      const leased = Object.keys(first.plan.header.leases ?? {});
      await index.put(applyPerfectly(world.objects, first.actions, leased));
      const second = await planOf(index, worldSet(unbounded), { minimumCopies });
      expect({ first: briefly(first.actions), second: briefly(second.actions) }).toEqual({
        first: briefly(first.actions),
        second: [],
      });
    }),
    { numRuns: runs },
  );
});

test("a plan of many objects is the same as one of few", { timeout: 1_200_000 }, async () => {
  const index = await openFixtureIndex();
  await fc.assert(
    fc.asyncProperty(worldsWithTombstones, async (world) => {
      await index.put(world.objects);
      const { minimumCopies } = world;
      const few = await planOf(index, worldSet(world), { minimumCopies });
      const many = await planOf(index, worldSet(world), { minimumCopies, manyFrom: 0 });
      expect(many.plan).toEqual(few.plan);
    }),
    { numRuns: runs },
  );
});

test("the order of rows and backends changes nothing", { timeout: 1_200_000 }, async () => {
  const index = await openFixtureIndex();
  await fc.assert(
    fc.asyncProperty(worldsWithRuns, async (world) => {
      await index.put(world.objects);
      const one = await planOf(index, worldSet(world));
      await index.put(world.objects.toReversed());
      const backends = world.backends.toReversed();
      const other = await planOf(index, worldSet({ ...world, backends }));
      expect(other.plan.cid).toBe(one.plan.cid);
    }),
    { numRuns: Math.ceil(runs / 3) },
  );
});
