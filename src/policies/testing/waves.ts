import type { Backend } from "#model/backend.ts";
import { readsOthers } from "#policies/expression/expression.ts";
import { roomOf } from "#policies/plan/planning.ts";
import type { Policy, Rule, RuleVerb } from "#policies/policy.ts";
import type { TestCase } from "#policies/testing/policy-test.ts";

/** The part of the capacity that plans leave free. */
export const headRoomShare = 0.05;

/**
 * Whether rules look at other objects than the one in question, by their words, or because they
 * go by collections, marks or quotas, or share the limits of their policy: then a case needs an
 * index that holds nothing but its own.
 */
export function comparesObjects(policies: readonly Policy[]): boolean {
  return policies.some(
    ({ rules, limits }) => Object.keys(limits).length > 0 || rules.some(comparesOthers),
  );
}

function comparesOthers({ where, order, group, verb }: Rule): boolean {
  return (
    readsOthers(where) ||
    order.some(({ key }) => readsOthers(key)) ||
    group !== undefined ||
    hasBounds(verb)
  );
}

function hasBounds(verb: RuleVerb): boolean {
  return "from" in verb && (verb.until !== undefined || verb.quota !== undefined);
}

/**
 * Cases that suppose the same clock and backends, put together so that one plan answers for
 * many: where neither the limit of a rule nor the room of a backend can be used up by all their
 * objects together, no object changes what becomes of another.
 */
export function wavesOf<Case extends { readonly test: Pick<TestCase, "objects"> }>(
  cases: readonly Case[],
  policies: readonly Policy[],
  backends: readonly Backend[],
): readonly (readonly Case[])[] {
  if (comparesObjects(policies)) return cases.map((one) => [one]);
  const bounds = boundsOf(policies, backends);
  const waves: Case[][] = [];
  let taken = { objects: 0, bytes: 0 };
  for (const one of cases) {
    const load = loadOf(one.test, backends);
    const sum = { objects: taken.objects + load.objects, bytes: taken.bytes + load.bytes };
    const wave = waves.at(-1);
    if (wave !== undefined && sum.objects <= bounds.objects && sum.bytes <= bounds.bytes) {
      wave.push(one);
      taken = sum;
    } else {
      waves.push([one]);
      taken = load;
    }
  }
  return waves;
}

/** The most that may be acted on before a limit or a full backend could make itself felt. */
function boundsOf(policies: readonly Policy[], backends: readonly Backend[]) {
  const limits = policies.flatMap(({ rules }) =>
    rules.filter(({ enabled }) => enabled !== false).map(({ limit }) => limit),
  );
  const rooms = backends.map((backend) => roomOf(backend, headRoomShare) ?? Infinity);
  return {
    objects: Math.min(...limits.map(({ objects }) => objects ?? Infinity), Infinity),
    bytes: Math.min(...limits.map(({ bytes }) => bytes ?? Infinity), ...rooms, Infinity),
  };
}

/** At most every object once on every backend. */
function loadOf({ objects }: Pick<TestCase, "objects">, backends: readonly Backend[]) {
  const bytes = objects.reduce((sum, { fixture }) => sum + fixture.size, 0);
  return { objects: objects.length * backends.length, bytes: bytes * backends.length };
}
