import type { ClauseExplanation } from "#model/explanation.ts";
import { formatDuration } from "#model/quantity.ts";
import type { Moment } from "#policies/compiled-policy.ts";
import { type Clause, type Test, truthOf } from "#policies/explain/clause.ts";
import type { Reading } from "#policies/explain/read-tests.ts";
import { subjectOf } from "#policies/explain/test-subject.ts";
import { timeCourse } from "#policies/explain/time-course.ts";
import { valueWords } from "#policies/explain/value-words.ts";
import { evaluate } from "#policies/expression/evaluate.ts";
import { isConstant } from "#policies/expression/expression.ts";
import { textOf } from "#policies/expression/span.ts";

/** What is needed to put clauses in words. */
export interface ClauseFacts {
  readonly moment: Moment;
  readonly readings: ReadonlyMap<Test, Reading>;
}

/**
 * One line for each test and for each group below the top, indented as they nest, with the
 * value now and what would turn it.
 */
export function explainClauses(clause: Clause, facts: ClauseFacts): readonly ClauseExplanation[] {
  return lines(clause, facts, { depth: 0, lead: "", wanted: true });
}

interface Position {
  readonly depth: number;
  /** Word that ties a line to the one before: "and ", "or ", "not ". */
  readonly lead: string;
  /** What the test would have to be for the rule to match. */
  readonly wanted: boolean;
}

function lines(clause: Clause, facts: ClauseFacts, place: Position): readonly ClauseExplanation[] {
  if (clause.kind === "test") return [explainTest(clause, facts, place)];
  if (clause.kind === "not" && clause.part.kind === "test") {
    const { depth, lead, wanted } = place;
    return [explainTest(clause.part, facts, { depth, lead: `${lead}not `, wanted: !wanted })];
  }
  const isTop = place.depth === 0 && place.lead === "";
  if ((clause.kind === "all" || clause.kind === "any") && isTop) return parts(clause, facts, place);
  const below = { ...place, depth: place.depth + 1, lead: "" };
  const header = group(clause, facts, place);
  if (clause.kind === "not") {
    return [header, ...lines(clause.part, facts, { ...below, wanted: !place.wanted })];
  }
  if (clause.kind === "class") return [header, ...lines(clause.part, facts, below)];
  return [header, ...parts(clause, facts, below)];
}

function parts(
  clause: Extract<Clause, { kind: "all" | "any" }>,
  facts: ClauseFacts,
  place: Position,
): readonly ClauseExplanation[] {
  const word = clause.kind === "all" ? "and " : "or ";
  return clause.parts.flatMap((part, at) =>
    lines(part, facts, { ...place, lead: at === 0 ? "" : word }),
  );
}

function group(
  clause: Exclude<Clause, Test>,
  { readings }: ClauseFacts,
  { depth, lead }: Position,
): ClauseExplanation {
  const names = { all: "all of", any: "any of", not: "not" };
  const name = clause.kind === "class" ? `class ${clause.name}` : names[clause.kind];
  const truth = truthOf(clause, (test) => readings.get(test)?.truth ?? null);
  return {
    text: `${"  ".repeat(depth)}${lead}${name}:`,
    holds: truth === true,
    value: "",
    flip: undefined,
  };
}

function explainTest(test: Test, facts: ClauseFacts, place: Position): ClauseExplanation {
  const reading = facts.readings.get(test);
  const { subject, other } = subjectOf(test.expression);
  const value = valueWords(reading?.value, subject.type);
  const varies = other !== undefined && !isConstant(other);
  const right = varies ? ` against ${valueWords(reading?.other, other.type)}` : "";
  const negated = place.lead.endsWith("not ");
  const truth = reading?.truth ?? null;
  return {
    text: `${"  ".repeat(place.depth)}${place.lead}${test.text}`,
    holds: negated ? truth === false : truth === true,
    value: `${value}${right}`,
    flip: reading && flipWords(test, reading, facts.moment, place.wanted),
  };
}

/** The value that would give the rule what it wants, and when time alone turns the test. */
function flipWords(
  test: Test,
  reading: Reading,
  moment: Moment,
  wanted: boolean,
): string | undefined {
  const truth = reading.truth === true;
  const course = timeCourse(test, reading, moment);
  const turn = course?.crossings.find((ms) => course.at(ms) !== truth);
  const soon =
    turn === undefined
      ? undefined
      : `in ${formatDuration(turn)}${course?.ifUntouched ? " if untouched" : ""}`;
  if (reading.truth === wanted) return soon && `no longer ${soon}`;
  const needs = wanted ? needWords(test, moment) : `needs not ${test.text}`;
  return soon === undefined ? needs : `${needs}: ${soon}`;
}

function needWords(test: Test, moment: Moment): string {
  const { expression } = test;
  const { operator, other } = subjectOf(expression);
  if (operator !== undefined && other !== undefined && isConstant(other)) {
    const limit = valueWords(evaluate(other, moment.now, undefined), other.type);
    return `needs ${operator} ${limit}`;
  }
  switch (expression.kind) {
    case "like":
    case "matches":
      return `needs ${expression.kind} ${textOf(expression.right.span)}`;
    case "has":
      return `needs ${textOf(expression.right.span)}`;
    case "in":
      return `needs one of ${expression.items.map((item) => textOf(item.span)).join(", ")}`;
    case "between":
      return `needs ${textOf(expression.low.span)} to ${textOf(expression.high.span)}`;
    case "missing":
      return "needs to be missing";
    default:
      return `needs ${test.text}`;
  }
}
