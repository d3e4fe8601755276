import type { Expectation } from "#policies/testing/policy-test-schema.ts";

/** An action of a plan in the words of a test. */
export interface NamedAction {
  readonly object: string;
  readonly action: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** `policy/rule`. */
  readonly rule: string;
}

/** One expected action of one object. */
export type ExpectedAction = Pick<Expectation, "action" | "from" | "to" | "rule"> & {
  readonly object: string;
};

/**
 * Pairs what is expected with what is planned, each with at most one of the other, so that as
 * many as possible find their pair: an expectation that leaves something open never takes the
 * action that a narrower one needs. Gives what is left on both sides.
 */
export function matchExpectations<Expected extends ExpectedAction, Actual extends NamedAction>(
  expected: readonly Expected[],
  actual: readonly Actual[],
): { readonly missing: readonly Expected[]; readonly unexpected: readonly Actual[] } {
  const takenBy = new Map<Actual, Expected>();
  /** Finds an action for one, moving those that have one already to another where it helps. */
  const place = (one: Expected, tried: Set<Actual>): boolean =>
    actual.some((candidate) => {
      if (tried.has(candidate) || !fits(one, candidate)) return false;
      tried.add(candidate);
      const holder = takenBy.get(candidate);
      if (holder !== undefined && !place(holder, tried)) return false;
      takenBy.set(candidate, one);
      return true;
    });
  const missing = expected.filter((one) => !place(one, new Set()));
  return { missing, unexpected: actual.filter((one) => !takenBy.has(one)) };
}

function fits(expected: ExpectedAction, actual: NamedAction): boolean {
  const { object, action, from, to, rule } = expected;
  return (
    object === actual.object &&
    action === actual.action &&
    (from === undefined || from === actual.from) &&
    (to === undefined || (actual.to !== undefined && to.includes(actual.to))) &&
    (rule === undefined || isRule(rule, actual.rule))
  );
}

/** Whether a rule is meant: tests may leave the name of its policy out. */
export function isRule(named: string, id: string): boolean {
  return named === id || id.endsWith(`/${named}`);
}
