import type { Moment } from "#policies/compiled-policy.ts";
import type { Test } from "#policies/explain/clause.ts";
import type { Reading } from "#policies/explain/read-tests.ts";
import { changesByReads, slopeOf } from "#policies/explain/slope.ts";
import { subjectOf } from "#policies/explain/test-subject.ts";
import { compareNumbers } from "#policies/expression/compare-numbers.ts";
import { evaluate } from "#policies/expression/evaluate.ts";
import { type Expression, isConstant, operandsOf } from "#policies/expression/expression.ts";
import type { ComparisonOperator } from "#policies/expression/syntax.ts";

/** How the truth of a test goes on when nobody touches the object. */
export interface TimeCourse {
  /** Truth so many milliseconds from now. */
  at(ms: number): boolean;
  /** Milliseconds from now at which it may change, in order; empty when it never does. */
  readonly crossings: readonly number[];
  /** Whether a read would change the course. */
  readonly ifUntouched: boolean;
}

/**
 * The course of tests that time alone can turn: heat halves in each half-life, `idle`, `age` and
 * what is computed from them in a line grow with the clock, and a point in time is passed by `now`.
 * Undefined for all others.
 */
export function timeCourse(test: Test, reading: Reading, moment: Moment): TimeCourse | undefined {
  const { expression } = test;
  if (expression.kind === "between") {
    return course(expression.value, reading, moment, [
      [">=", expression.low],
      ["<=", expression.high],
    ]);
  }
  const { subject, operator, other } = subjectOf(expression);
  if (operator === undefined || other === undefined) return undefined;
  return course(subject, reading, moment, [[operator, other]]);
}

function course(
  subject: Expression,
  reading: Reading,
  moment: Moment,
  bounds: readonly (readonly [ComparisonOperator, Expression])[],
): TimeCourse | undefined {
  const motion = motionOf(subject, reading, moment);
  if (motion === undefined || !bounds.every(([, bound]) => isConstant(bound))) return undefined;
  const limits = bounds.flatMap(([operator, bound]) => {
    const limit = evaluate(bound, moment.now, undefined);
    const slope = slopeOf(bound);
    return typeof limit === "number" && slope !== undefined ? [{ operator, limit, slope }] : [];
  });
  const isMoving = motion.isMoving || limits.some(({ slope }) => slope !== 0);
  if (!isMoving || limits.length < bounds.length) return undefined;
  const at = (ms: number) =>
    limits.every(({ operator, limit, slope }) =>
      compareNumbers(motion.at(ms), operator, limit + slope * ms),
    );
  const crossings = limits
    .map(({ limit, slope }) => motion.reaches(limit, slope))
    .filter((ms) => Number.isFinite(ms) && ms >= 0)
    // A strict comparison turns just after its limit, and stored times have microseconds.
    .map((ms) => Math.ceil(ms) + 1)
    .toSorted((a, b) => a - b);
  return { at, crossings, ifUntouched: changesByReads(subject) };
}

interface Motion {
  readonly isMoving: boolean;
  at(ms: number): number;
  /** When it meets a limit that itself grows by so much in a millisecond. */
  reaches(limit: number, slope: number): number;
}

function motionOf(subject: Expression, { value }: Reading, moment: Moment): Motion | undefined {
  const start = value instanceof Date ? value.getTime() : value;
  if (typeof start !== "number") return undefined;
  if (subject.kind === "attribute" && subject.definition.name === "heat") {
    const { halfLifeMs } = moment.heat;
    return {
      isMoving: true,
      at: (ms) => start * 2 ** (-ms / halfLifeMs),
      reaches: (limit, slope) =>
        limit > 0 && slope === 0 ? halfLifeMs * Math.log2(start / limit) : Infinity,
    };
  }
  const own = slopeOf(subject);
  if (own === undefined) return undefined;
  return {
    isMoving: own !== 0,
    at: (ms) => start + own * ms,
    reaches: (limit, slope) => (own === slope ? Infinity : (limit - start) / (own - slope)),
  };
}

/** Whether time may turn a test in a way that has no course here. */
export function isUnforeseen({ expression }: Test): boolean {
  return expression.kind !== "missing" && operandsOf(expression).some((one) => slopeOf(one) !== 0);
}
