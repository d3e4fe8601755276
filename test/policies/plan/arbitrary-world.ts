import * as fc from "fast-check";
import type { Backend } from "#model/backend.ts";
import { confidences, tiers } from "#model/copy.ts";
import type { CompiledRule, CompiledVerb } from "#policies/compiled-policy.ts";
import { trusted } from "#policies/sql-fragment.ts";
import { readWrite, testBackend } from "../demo-backends.ts";
import type { FixtureObject } from "./fixture-index.ts";
import { tagOrder } from "./apply-perfectly.ts";
import { on, ruleOf, testNow } from "./rule-of.ts";

/** A rule together with the test's own reading of its predicate. */
export interface WorldRule {
  readonly rule: CompiledRule;
  readonly matches: (object: FixtureObject) => boolean;
}

/** Everything a plan depends on, at random. */
export interface World {
  readonly backends: readonly Backend[];
  readonly objects: readonly FixtureObject[];
  readonly rules: readonly WorldRule[];
  readonly minimumCopies: number;
}

const predicates: readonly (readonly [string, (object: FixtureObject) => boolean])[] = [
  ["true", () => true],
  ["o.object_id % 2 = 0", ({ id }) => id % 2 === 0],
  ["o.object_id % 3 = 0", ({ id }) => id % 3 === 0],
  ["o.size >= 200", ({ size }) => (size ?? 0) >= 200],
  ["o.heat_weight < 1", ({ heat }) => (heat ?? 0) < 1],
];

/** Rules that move, protect and remove copies. */
export const worlds = worldsWith(false);

/** And rules that do something for its own sake. */
export const worldsWithRuns = worldsWith(true);

function worldsWith(hasRuns: boolean): fc.Arbitrary<World> {
  return fc.integer({ min: 2, max: 5 }).chain((count) => worldOf(count, hasRuns));
}

function worldOf(count: number, hasRuns: boolean): fc.Arbitrary<World> {
  const ids = Array.from({ length: count }, (_, id) => id);
  return fc.record({
    backends: fc.tuple(...ids.map((id) => arbitraryBackend(id))),
    objects: fc
      .array(arbitraryObject(ids), { minLength: 1, maxLength: 12 })
      .map((objects) => objects.map((object, id) => ({ ...object, id }))),
    rules: fc
      .array(arbitraryRule(ids, hasRuns), { minLength: 1, maxLength: 6 })
      .map((rules) => rules.map((make, at) => make(`rule-${at}`))),
    minimumCopies: fc.constantFrom(1, 1, 2),
  });
}

function arbitraryBackend(id: number): fc.Arbitrary<Backend> {
  return fc
    .record({
      tier: fc.constantFrom(...tiers),
      region: fc.constantFrom("eu", "us", undefined),
      cordoned: fc.constantFrom(false, false, false, true),
      freeBytes: fc.constantFrom(undefined, undefined, 350, 2_000),
      operations: fc.constantFrom(
        readWrite.operations,
        readWrite.operations,
        readWrite.operations,
        ["read", "list"] as const,
        ["write", "remove"] as const,
      ),
    })
    .map(({ operations, ...facts }) =>
      testBackend({
        id,
        name: `backend-${id}`,
        ...facts,
        capacityBytes: facts.freeBytes,
        capabilities: { ...readWrite, operations },
      }),
    );
}

function arbitraryObject(ids: readonly number[]): fc.Arbitrary<Omit<FixtureObject, "id">> {
  return fc
    .record({
      size: fc.constantFrom(0, 100, 100, 250, 400),
      heat: fc.constantFrom(0, 0.5, 1, 2),
      copies: fc
        .tuple(...ids.map(() => fc.option(fc.constantFrom("verified", "verified", ...confidences))))
        .map((levels) =>
          Object.fromEntries(levels.flatMap((level, id) => (level ? [[id, level]] : []))),
        ),
      inFlight: fc.constantFrom([], [], [], [], [0], [1]),
      collection: fc.constantFrom(undefined, "a", "b"),
      owner: fc.constantFrom(undefined, "ana", "ben"),
      tags: fc.subarray(["new", "seen", "by=us", "by=them", "project=x", "project=y"]),
      checkedAt: fc.constantFrom(...leaseTimes),
      held: fc.constantFrom(false, false, false, false, true),
      locks: fc.dictionary(
        fc.constantFrom(...ids.map(String)),
        fc.constantFrom("legal hold" as const, ...lockEnds),
        { maxKeys: 1, noNullPrototype: true },
      ),
      accessed: fc.constantFrom(undefined, undefined, ...leaseTimes),
      leases: fc.array(
        fc.record({
          rule: fc.integer({ min: 0, max: 5 }).map((at) => `test/rule-${at}`),
          backend: fc.constantFrom(undefined, ...ids),
          since: fc.constantFrom(...leaseTimes),
        }),
        { maxLength: 3 },
      ),
    })
    .map(({ accessed, leases, collection, owner, checkedAt, ...object }) => ({
      ...object,
      checked: Object.fromEntries(
        Object.entries(object.copies).flatMap(([backend, level]) =>
          level === "verified" ? [[backend, checkedAt]] : [],
        ),
      ),
      ...(accessed === undefined ? {} : { accessed }),
      ...(collection === undefined ? {} : { collection }),
      ...(owner === undefined ? {} : { owner }),
      // What is not there cannot be on lease.
      leases: leases.map(({ backend, ...lease }) =>
        backend === undefined || object.copies[backend] === undefined
          ? lease
          : { ...lease, backend },
      ),
    }));
}

/** An hour ago, and longer ago than rules want copies for. */
const leaseTimes = [1, 30].map((hours) => new Date(testNow.getTime() - hours * 3_600_000));
/** An hour ago, at this very moment, and in an hour. */
const lockEnds = [-1, 0, 1].map((hours) => new Date(testNow.getTime() + hours * 3_600_000));
const forMs = fc.constantFrom(undefined, undefined, 86_400_000);

function withTime<Verb extends object>(verb: Verb, time: number | undefined) {
  return time === undefined ? verb : { ...verb, forMs: time };
}

/** A number, as it mostly is, a whole one, a time, which some objects do not have, and a text. */
const orderKeys = [
  "o.heat_weight",
  "o.heat_weight",
  "o.size",
  "CASE WHEN o.size > 0 THEN make_timestamp(1700000000000000 + (o.heat_weight * 1e6)::BIGINT) END",
  "CASE WHEN o.size > 100 THEN 'infinity'::TIMESTAMP ELSE make_timestamp(o.size) END",
  "o.collection",
];

function arbitraryRule(
  ids: readonly number[],
  hasRuns: boolean,
): fc.Arbitrary<(name: string) => WorldRule> {
  const limit = fc.constantFrom(
    { objects: undefined, bytes: undefined },
    { objects: undefined, bytes: undefined },
    { objects: 2, bytes: undefined },
    { objects: undefined, bytes: 500 },
  );
  return fc
    .record({
      verb: arbitraryVerb(ids, hasRuns),
      predicate: fc.constantFrom(...predicates),
      limit,
      key: fc.constantFrom(...orderKeys),
      descending: fc.option(fc.boolean()),
      grouped: fc.constantFrom(false, false, false, true),
    })
    .map(({ verb, predicate: [where, matches], limit, key, descending, grouped }) => (name) => ({
      rule: ruleOf(name, verb, where, {
        limit,
        ...(grouped && groupable.has(verb.kind) ? { group: "collection" as const } : {}),
        order: descending === null ? [] : [{ key: trusted(key), descending }],
      }),
      matches,
    }));
}

const groupable: ReadonlySet<CompiledVerb["kind"]> = new Set([
  "ensure",
  "evict",
  "demote",
  "promote",
]);

function arbitraryVerb(ids: readonly number[], hasRuns: boolean): fc.Arbitrary<CompiledVerb> {
  const mask = fc.subarray([...ids], { minLength: 1 }).map((chosen) => on(...chosen));
  const ensures = fc
    .record({
      on: mask,
      min: fc.integer({ min: 1, max: 3 }),
      more: fc.option(fc.integer({ min: 0, max: 1 })),
      confidence: fc.constantFrom(...confidences, "verified" as const),
      per: fc.constantFrom(undefined, "region"),
      time: forMs,
      prefer: arbitraryPreference(ids),
      isAll: fc.constantFrom(false, false, false, true),
    })
    .map(({ on, min, more, confidence, per, time, prefer, isAll }) => {
      // `copies: all` is compiled to as many as there are.
      const copies = isAll
        ? { min: bitCount(on), max: undefined }
        : { min, max: more === null ? undefined : min + more };
      return withTime({ kind: "ensure" as const, copies, on, confidence, per, ...prefer }, time);
    });
  // As compiled policies: a move never names one backend on both sides.
  const moves = fc
    .record({
      kind: fc.constantFrom("demote" as const, "promote" as const),
      from: mask,
      to: mask,
      time: forMs,
      prefer: arbitraryPreference(ids),
      bounds: fc.constantFrom({}, {}, {}, ...arbitraryBounds),
    })
    .map(({ kind, from, to, time, prefer, bounds }) =>
      kind === "promote"
        ? withTime({ kind, from: from & ~to, to, ...prefer }, time)
        : {
            kind,
            from: from & ~to,
            to,
            ...prefer,
            ...("free" in bounds && (to & 1n) === 1n ? {} : bounds),
          },
    );
  const runs = fc.constantFrom(
    { kind: "run" as const, order: tagOrder, on: 0n },
    {
      kind: "run" as const,
      order: { action: "verify" as const },
      on: on(...ids),
      everyMs: 86_400_000,
    },
  );
  const evictions = fc
    .record({ from: mask, bounds: fc.constantFrom({}, {}, ...arbitraryBounds) })
    .map(({ from, bounds }) => ({
      kind: "evict" as const,
      from: "free" in bounds ? from | 1n : from,
      ...bounds,
    }));
  return fc.oneof(
    { weight: 4, arbitrary: ensures },
    { weight: 3, arbitrary: evictions },
    { weight: 3, arbitrary: moves },
    { weight: hasRuns ? 1 : 0, arbitrary: runs },
    { weight: 1, arbitrary: fc.constant({ kind: "hold" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "delete" as const, graceMs: 86_400_000 }) },
  );
}

/** Backends in groups of which the first goes first: by halves of a random order. */
function arbitraryPreference(ids: readonly number[]) {
  const groups = fc.shuffledSubarray([...ids], { minLength: ids.length }).map((order) => ({
    prefer: [on(...order.slice(0, 2)), on(...order.slice(2))].filter((mask) => mask !== 0n),
  }));
  return fc.option(groups, { nil: {}, freq: 2 });
}

export function bitCount(mask: bigint): number {
  return mask.toString(2).replaceAll("0", "").length;
}

/** What bounds an eviction or demotion, as compiled. */
const arbitraryBounds = [
  { quota: { per: "owner" as const, bytes: 250 } },
  { quota: { per: "collection" as const, bytes: 100 } },
  { quota: { per: "meta.project", bytes: 200 } },
  { free: [{ backend: 0, bytes: 150 }] },
  { free: [] },
];

/** A verb that wants all of what its rule selects. */
function unbounded(verb: CompiledVerb): CompiledVerb {
  if (verb.kind !== "evict" && verb.kind !== "demote") return verb;
  const { free: _free, quota: _quota, ...rest } = verb;
  return rest;
}

/** The same world with rules that have no limit and backends that are never full. */
export function withoutLimits(world: World): World {
  return {
    ...world,
    backends: world.backends.map((backend) => ({ ...backend, freeBytes: undefined })),
    rules: world.rules.map(({ rule, matches }) => ({
      rule: { ...rule, limit: { objects: undefined, bytes: undefined } },
      matches,
    })),
  };
}

/** And with rules that want all of what they select, whatever marks and quotas say. */
export function withoutBounds(world: World): World {
  const free = withoutLimits(world);
  const rules = free.rules.map(({ rule, matches }) => ({
    rule: { ...rule, verb: unbounded(rule.verb) },
    matches,
  }));
  return { ...free, rules };
}

/** Half of all worlds hold some tombstones, old and new. */
export const tombstones: fc.Arbitrary<readonly (Date | undefined)[]> = fc.array(
  fc.constantFrom(
    undefined,
    undefined,
    new Date(testNow.getTime() - 3_600_000),
    new Date(testNow.getTime() - 86_400_000),
  ),
  { minLength: 12, maxLength: 12 },
);
