import type { Moment } from "#policies/compiled-policy.ts";
import type { Test } from "#policies/explain/clause.ts";
import type { Reading } from "#policies/explain/read-tests.ts";
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
 * The course of tests that time alone can turn: heat halves in each half-life, `idle` and `age`
 * grow with the clock, and a point in time is passed by `now`. Undefined for all others.
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
  const limits = bounds.map(([operator, bound]) => {
    const limit = evaluate(bound, moment.now, undefined);
    return { operator, limit: typeof limit === "number" ? limit : Number.NaN, bound };
  });
  const isMoving = motion.kind !== "still" || limits.some(({ bound }) => readsClock(bound));
  if (!isMoving || limits.some(({ limit }) => Number.isNaN(limit))) return undefined;
  const at = (ms: number) =>
    limits.every(({ operator, limit, bound }) => {
      const now = readsClock(bound) ? limit + ms : limit;
      return compareNumbers(motion.at(ms), operator, now);
    });
  const crossings = limits
    .map(({ limit, bound }) =>
      motion.kind === "still" ? motion.at(0) - limit : motion.reaches(limit, readsClock(bound)),
    )
    .filter((ms) => Number.isFinite(ms) && ms >= 0)
    // A strict comparison turns just after its limit, and stored times have microseconds.
    .map((ms) => Math.ceil(ms) + 1)
    .toSorted((a, b) => a - b);
  return { at, crossings, ifUntouched: motion.ifUntouched };
}

interface Motion {
  readonly kind: "still" | "grows" | "shrinks" | "decays";
  at(ms: number): number;
  reaches(limit: number, limitMoves: boolean): number;
  readonly ifUntouched: boolean;
}

function motionOf(subject: Expression, reading: Reading, moment: Moment): Motion | undefined {
  if (subject.kind !== "attribute" || subject.definition.scope !== "object") return undefined;
  const { definition } = subject;
  const { value } = reading;
  if (value instanceof Date) {
    const time = value.getTime();
    return { kind: "still", at: () => time, reaches: () => Infinity, ifUntouched: true };
  }
  if (typeof value !== "number") return undefined;
  if (definition.name === "heat") {
    const { halfLifeMs } = moment.heat;
    return {
      kind: "decays",
      at: (ms) => value * 2 ** (-ms / halfLifeMs),
      reaches: (limit) => (limit > 0 ? halfLifeMs * Math.log2(value / limit) : Infinity),
      ifUntouched: true,
    };
  }
  if (definition.name === "expires_in") {
    return {
      kind: "shrinks",
      at: (ms) => value - ms,
      reaches: (limit, limitMoves) => (limitMoves ? Infinity : value - limit),
      ifUntouched: false,
    };
  }
  if (definition.since === undefined) return undefined;
  return {
    kind: "grows",
    at: (ms) => value + ms,
    reaches: (limit, limitMoves) => (limitMoves ? Infinity : limit - value),
    ifUntouched: definition.name === "idle",
  };
}

/** Whether a constant is `now`, or `now` and something: it moves with the clock. */
function readsClock(expression: Expression): boolean {
  return expression.kind === "now" || operandsOf(expression).some(readsClock);
}
