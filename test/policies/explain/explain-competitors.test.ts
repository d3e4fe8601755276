import * as fc from "fast-check";
import { expect, test } from "vitest";
import { actionWords } from "#policies/explain/action-words.ts";
import { explainObject } from "#policies/explain/explain-object.ts";
import { countAhead, planCompetitors } from "#policies/explain/plan-competitors.ts";
import { decideActions } from "#policies/plan/build-plan.ts";
import { rulesOf } from "#policies/plan/match-words.ts";
import { rowOrder } from "#policies/plan/final-rows.ts";
import { Planning } from "#policies/plan/planning.ts";
import { isBounded } from "#policies/removal-bound.ts";
import { trusted } from "#policies/sql-fragment.ts";
import { type World, worlds } from "../plan/arbitrary-world.ts";
import { type FixtureObject, openFixtureIndex } from "../plan/fixture-index.ts";
import { planOf } from "../plan/plan-of.ts";
import { setOf } from "../plan/rule-of.ts";

const runs = Number(process.env["PROPERTY_RUNS"] ?? 15);

/** Worlds in which some rule frees only what is needed, with limits and room as they come. */
const boundedWorlds = worlds.filter(({ rules }) =>
  rules.some(
    ({ rule: { verb } }) =>
      verb.kind === "evict" && (verb.quota !== undefined || (verb.free ?? []).length > 0),
  ),
);

/** Collections that go together are planned with all others. */
function withoutGroups(world: World): World {
  const rules = world.rules.map(({ rule: { group: _group, ...rule }, matches }) => ({
    rule,
    matches,
  }));
  return { ...world, rules };
}

function bitsOf({ copies = {} }: FixtureObject, mask: bigint): number {
  return Object.keys(copies).filter((id) => ((mask >> BigInt(id)) & 1n) === 1n).length;
}

/** Whether a rule selects the object, and all that go together with it. */
function selects(
  ruled: World["rules"][number] | undefined,
  object: FixtureObject,
  objects: readonly FixtureObject[],
): boolean {
  const isGrouped = ruled?.rule.group !== undefined && object.collection !== undefined;
  const together = isGrouped
    ? objects.filter(({ collection }) => collection === object.collection)
    : [object];
  return together.every((one) => ruled?.matches(one) === true);
}

/** Whether such a rule selects the object and has something to free of it. */
function isExceeded({ rules, objects }: World, object: FixtureObject): boolean {
  return rulesOf(
    rules.map(({ rule }) => rule),
    "evict",
  ).some(({ index, verb: { from, free = [], quota } }) => {
    if (!selects(rules[index], object, objects) || bitsOf(object, from) === 0) return false;
    if (quota === undefined) return free.some(({ backend }) => object.copies?.[backend]);
    const name = ({ owner, collection, tags = [] }: FixtureObject) => {
      if (quota.per === "owner") return owner;
      if (quota.per === "collection") return collection;
      return tags.find((tag) => tag.startsWith("project="));
    };
    const same = objects.filter((other) => name(other) === name(object));
    const used = same.reduce((sum, other) => sum + (other.size ?? 0) * bitsOf(other, from), 0);
    return name(object) !== undefined && used > quota.bytes;
  });
}

test(
  "what marks, quotas, limits and room make of an object is told as the plan has it",
  { timeout: 300_000 },
  async () => {
    const index = await openFixtureIndex();
    await fc.assert(
      fc.asyncProperty(boundedWorlds, fc.nat(), async (world, pick) => {
        const exceeded = world.objects.filter((object) => isExceeded(world, object));
        fc.pre(exceeded.length > 0);
        const object = exceeded[pick % exceeded.length]!;
        await index.put(world.objects);
        const set = setOf(world.backends, ...world.rules.map(({ rule }) => rule));
        const options = { minimumCopies: world.minimumCopies };
        const { actions } = await planOf(index, set, options);
        const names = new Map(world.backends.map(({ id, name }) => [id, name]));
        await using session = await index.session();
        const { conclusion } = await explainObject(set, session, object.id, options);
        const told = conclusion
          .filter((line) => !/^(?:(?:blocked|waits|nothing):|its copy on )/.test(line))
          .map((line) => line.replace(/, within the limit of the rule\)$/, ")"));
        const planned = actions
          .filter(({ objectId }) => objectId === object.id)
          .map((action) => `${action.verb}: ${actionWords(action, names)} (${action.rule})`);
        expect(told).toEqual(planned);
      }),
      { numRuns: runs, endOnFailure: true },
    );
  },
);

test(
  "few objects that compete are planned as all of them are, however few are looked at first",
  { timeout: 300_000 },
  async () => {
    const index = await openFixtureIndex();
    await fc.assert(
      fc.asyncProperty(
        boundedWorlds.map(withoutGroups),
        fc.nat(),
        fc.nat(3),
        async (world, pick, spare) => {
          const exceeded = world.objects.filter((object) => isExceeded(world, object));
          fc.pre(exceeded.length > 0);
          const object = exceeded[pick % exceeded.length]!;
          await index.put(world.objects);
          const set = setOf(world.backends, ...world.rules.map(({ rule }) => rule));
          const safety = { minimumCopies: world.minimumCopies, headRoomShare: 0.05 };
          await using session = await index.session();
          const bounded = rulesOf(set.rules, "evict").flatMap(({ index, verb }) =>
            isBounded(verb) && world.rules[index]?.matches(object) === true ? [index] : [],
          );
          const seen = async (planning: Planning) => ({
            rows: await planning.rows(
              trusted(`SELECT * EXCLUDE (place, position) FROM plan_row
              WHERE object_id = ${object.id} ORDER BY ${rowOrder.parts.join("")}`),
            ),
            ahead: await Promise.all(
              bounded.map(async (rule) => await countAhead(planning, object.id, rule)),
            ),
          });
          const all = new Planning(set, session, safety);
          await decideActions(all);
          const whole = await seen(all);
          const alone = new Planning(set, session, safety);
          await decideActions(alone, { objects: [object.id] });
          const few = await seen(await planCompetitors(alone, object.id, { atLeast: 1 }));
          expect(few).toEqual(whole);
          const guess = { from: 1, spare };
          const guessed = await planCompetitors(alone, object.id, { atLeast: 1, guess });
          expect(await seen(guessed)).toEqual(whole);
        },
      ),
      { numRuns: runs, endOnFailure: true },
    );
  },
);
