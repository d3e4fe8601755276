import * as fc from "fast-check";
import { expect, test } from "vitest";
import { actionWords } from "#policies/explain/action-words.ts";
import { explainObject } from "#policies/explain/explain-object.ts";
import { withoutLimits, worlds } from "../plan/arbitrary-world.ts";
import { openFixtureIndex } from "../plan/fixture-index.ts";
import { planOf } from "../plan/plan-of.ts";
import { setOf } from "../plan/rule-of.ts";

const runs = Number(process.env["PROPERTY_RUNS"] ?? 15);

test("explain says of each object what the plan does with it", { timeout: 300_000 }, async () => {
  const index = await openFixtureIndex();
  await fc.assert(
    fc.asyncProperty(worlds, fc.nat(), async (world, pick) => {
      await index.put(world.objects);
      // What other objects take of a limit or of a target's room explain cannot know.
      const { rules, backends } = withoutLimits(world);
      const set = setOf(backends, ...rules.map(({ rule }) => rule));
      const options = { minimumCopies: world.minimumCopies };
      const { actions } = await planOf(index, set, options);
      const names = new Map(backends.map(({ id, name }) => [id, name]));
      const { id } = world.objects[pick % world.objects.length] ?? { id: 0 };
      await using session = await index.session();
      const { conclusion } = await explainObject(set, session, id, options);
      const told = conclusion.filter(
        (line) => !/^(?:(?:blocked|waits|nothing):|its copy on )/.test(line),
      );
      const planned = actions
        .filter(({ objectId }) => objectId === id)
        .map((action) => `${action.verb}: ${actionWords(action, names)} (${action.rule})`);
      expect(told).toEqual(planned);
    }),
    { numRuns: runs },
  );
});
