import type { Backend } from "#model/backend.ts";
import type { PlanAction } from "#model/plan.ts";
import type { CompiledRule } from "#policies/compiled-policy.ts";
import { applyPerfectly } from "./apply-perfectly.ts";
import { bitCount, type World } from "./arbitrary-world.ts";
import { type FixtureLease, type FixtureObject, maskWith } from "./fixture-index.ts";
import { testNow } from "./rule-of.ts";

/**
 * What a plan must not do and does, found from the world alone, without the planner's SQL: an
 * empty list when the plan keeps every promise.
 */
export function planViolations(
  world: World,
  actions: readonly PlanAction[],
  headRoomShare: number,
): readonly string[] {
  return [
    ...repeated(actions),
    ...world.objects.flatMap((object) => unsafe(world, object, actions)),
    ...world.backends.flatMap((backend) => illPlaced(world, backend, actions, headRoomShare)),
    ...beyondLimits(world, actions),
    ...divided(world, actions),
    ...illPreferred(world, actions),
  ];
}

/** More than one action for an object and target, or for an object and victim. */
function repeated(actions: readonly PlanAction[]): readonly string[] {
  const seen = new Set<string>();
  return actions.flatMap(({ objectId, target, victim }) =>
    [target, victim].flatMap((backend) => {
      const place = `object ${objectId} on backend ${backend}`;
      if (backend === null || !seen.has(place)) {
        seen.add(place);
        return [];
      }
      return [`${place} has two actions`];
    }),
  );
}

/** Holds, the floor of verified copies, and every ensure, after all actions on one object. */
function unsafe(
  world: World,
  object: FixtureObject,
  all: readonly PlanAction[],
): readonly string[] {
  const actions = all.filter(({ objectId }) => objectId === object.id);
  const removals = actions.filter(({ victim, verb }) => victim !== null || verb === "tombstone");
  if (removals.length === 0) return [];
  const found: string[] = [];
  const name = `object ${object.id}`;
  const matching = world.rules
    .filter(({ matches, rule }) => matches(object) && !isOver(object, rule))
    .map(({ rule }) => rule);
  if (object.held || matching.some(({ verb }) => verb.kind === "hold")) {
    found.push(`${name} is held and loses something`);
  }
  for (const { victim } of removals) {
    const leased = liveLeases(world, object).some(
      ({ backend }) => backend === victim || victim === null,
    );
    if (leased) found.push(`${name} loses a copy that is wanted for a time`);
    const lock = victim === null ? undefined : object.locks?.[victim];
    if (lock === "legal hold" || (lock !== undefined && lock > testNow)) {
      found.push(`${name} loses a copy that ${victim} locks`);
    }
  }
  const deletes = removals.filter(({ verb }) => verb === "delete" || verb === "tombstone");
  if (deletes.length > 0 && matching.some(({ verb }) => verb.kind === "ensure")) {
    found.push(`${name} is deleted against an ensure`);
  }
  if (deletes.some(({ verb }) => verb === "delete")) {
    return object.tombstoned ? found : [...found, `${name} is deleted without a tombstone`];
  }
  const evicted = removals.flatMap(({ victim }) => (victim === null ? [] : [BigInt(victim)]));
  if (evicted.length === 0) return found;
  const copies = applyPerfectly([object], actions)[0]?.copies ?? {};
  if (bitCount(maskWith(copies, "verified")) < world.minimumCopies) {
    found.push(`${name} falls below the minimum`);
  }
  for (const { id, verb } of matching) {
    if (verb.kind !== "ensure" || !evicted.some((victim) => (verb.on >> victim) & 1n)) continue;
    const kept = bitCount(maskWith(copies, verb.confidence) & verb.on);
    if (kept < verb.copies.min) found.push(`${name} loses a copy that ${id} needs`);
    if (verb.per === undefined) continue;
    // Where they lie closer than they should they come no closer, and what is made counts.
    const regions = (of: FixtureObject["copies"]): number =>
      regionsOn(world, maskWith(of ?? {}, verb.confidence) & verb.on);
    const wanted = Math.min(verb.copies.min, regionsOn(world, verb.on));
    const made = applyPerfectly(
      [object],
      actions.map((action) => ({ ...action, victim: null })),
    )[0]?.copies;
    if (regions(copies) < Math.min(wanted, regions(made))) {
      found.push(`${name} loses a region that ${id} spreads over`);
    }
  }
  return found;
}

function regionsOn({ backends }: World, mask: bigint): number {
  const there = backends.filter(({ id }) => ((mask >> BigInt(id)) & 1n) === 1n);
  return new Set(there.map(({ region }) => region)).size;
}

/** The rule has had copies of the object for as long as it asks. */
function isOver(object: FixtureObject, { id, verb }: CompiledRule): boolean {
  const times = (object.leases ?? []).filter(({ rule }) => rule === id);
  if (!("forMs" in verb) || verb.forMs === undefined || times.length === 0) return false;
  return latestOf(object, id) + verb.forMs <= testNow.getTime();
}

/** Copies that are there, made by a rule that wants them still. */
function liveLeases({ rules }: World, object: FixtureObject): readonly FixtureLease[] {
  return (object.leases ?? []).filter(({ backend, rule }) => {
    const verb = rules.find((one) => one.rule.id === rule)?.rule.verb;
    const forMs = verb && "forMs" in verb ? verb.forMs : undefined;
    if (backend === undefined || forMs === undefined) return false;
    return (
      object.copies?.[backend] !== undefined && latestOf(object, rule) + forMs > testNow.getTime()
    );
  });
}

/** When the rule last had a copy made, or the object was read since. */
function latestOf({ leases = [], accessed }: FixtureObject, rule: string): number {
  const made = leases.filter((lease) => lease.rule === rule).map(({ since }) => since.getTime());
  return Math.max(accessed?.getTime() ?? 0, ...made);
}

/** Copies where they cannot, may not or need not go. */
function illPlaced(
  world: World,
  backend: Backend,
  actions: readonly PlanAction[],
  headRoomShare: number,
): readonly string[] {
  const objects = new Map(world.objects.map((object) => [object.id, object]));
  const here = actions.filter(({ target }) => target === backend.id);
  const found: string[] = [];
  if (here.length > 0 && backend.cordoned) found.push(`${backend.name} is cordoned`);
  if (here.length > 0 && !backend.capabilities.operations.includes("write")) {
    found.push(`${backend.name} cannot be written to`);
  }
  const added = here.filter(({ objectId }) => !objects.get(objectId)?.copies?.[backend.id]);
  const bytes = added.reduce((sum, action) => sum + action.size, 0);
  const free = backend.freeBytes;
  if (free !== undefined && bytes > free * (1 - headRoomShare)) {
    found.push(`${backend.name} gets ${bytes} bytes and has ${free}`);
  }
  for (const { objectId, source } of here) {
    const object = objects.get(objectId);
    if (object?.inFlight?.includes(backend.id)) found.push(`${objectId} is on its way already`);
    if (object?.copies?.[backend.id] === "verified") found.push(`${objectId} is there already`);
    if (source === null || !object?.copies?.[source]) found.push(`${objectId} has no source`);
  }
  return found;
}

/** Collections that a rule moves without selecting, or without moving, all of their objects. */
function divided(world: World, actions: readonly PlanAction[]): readonly string[] {
  return world.rules.flatMap(({ rule, matches }) => {
    if (rule.group === undefined || rule.verb.kind === "ensure") return [];
    // The end of a copy that was wanted for a time is each object's own: others never had it.
    const isEnd = ({ verb }: PlanAction): boolean =>
      rule.verb.kind === "promote" && verb === "evict";
    const own = actions.filter((action) => action.rule === rule.id && !isEnd(action));
    const acting = new Set(own.map(({ objectId }) => objectId));
    const moved = new Set(
      world.objects.flatMap(({ id, collection }) => (acting.has(id) ? (collection ?? []) : [])),
    );
    const members = world.objects.filter(({ collection }) => collection && moved.has(collection));
    return members.flatMap((object) => {
      if (!matches(object)) return [`${rule.id} moves part of ${object.collection}`];
      if ("free" in rule.verb || "quota" in rule.verb) return [];
      // By itself and unhindered an eviction acts wherever there is a copy.
      const stays = rule.verb.kind === "evict" && object.held && !acting.has(object.id);
      const copies = maskWith(object.copies ?? {}, "claimed");
      const wanted = rule.verb.kind === "evict" && (copies & rule.verb.from) !== 0n;
      return stays && wanted ? [`${rule.id} leaves ${object.id} of ${object.collection}`] : [];
    });
  });
}

/** Rules that act on more than they may. */
function beyondLimits(world: World, actions: readonly PlanAction[]): readonly string[] {
  return world.rules.flatMap(({ rule }) => {
    const own = actions.filter((action) => action.rule === rule.id);
    const objects = new Set(own.map(({ objectId }) => objectId)).size;
    const limit = rule.limit.objects ?? Infinity;
    return objects > limit ? [`${rule.id} acts on ${objects} objects`] : [];
  });
}

/** New copies on a backend although one that goes first would take them. */
function illPreferred({ rules, backends, objects }: World, all: readonly PlanAction[]) {
  return all.flatMap(({ objectId, target, rule: id }): readonly string[] => {
    const verb = rules.find(({ rule }) => rule.id === id)?.rule.verb;
    if (target === null || verb === undefined || !("prefer" in verb)) return [];
    const [first = 0n] = verb.prefer ?? [];
    const isSpread = verb.kind === "ensure" && verb.per !== undefined;
    if (isSpread || ((first >> BigInt(target)) & 1n) === 1n) return [];
    const chosen = "on" in verb ? verb.on : verb.to;
    const object = objects.find((one) => one.id === objectId);
    // What a rule wants emptied takes no new copies, preferred or not.
    const emptied = rules.reduce(
      (mask, { rule }) => mask | ("from" in rule.verb ? rule.verb.from : 0n),
      0n,
    );
    const taken = all.flatMap((one) =>
      one.objectId === objectId ? [one.target, one.victim].filter((at) => at !== null) : [],
    );
    return backends
      .filter(({ id: at }) => ((first & chosen & ~emptied) >> BigInt(at)) & 1n)
      .filter(({ id: at }) => object?.copies?.[at] === undefined && !taken.includes(at))
      .filter(({ id: at }) => !object?.inFlight?.includes(at))
      .filter(({ cordoned, freeBytes }) => !cordoned && freeBytes === undefined)
      .filter(({ capabilities }) => capabilities.operations.includes("write"))
      .map(({ name }) => `${objectId} goes to ${target} and not to ${name}, which ${id} prefers`);
  });
}
