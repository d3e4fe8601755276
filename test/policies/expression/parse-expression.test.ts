import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { noClasses, noVariables } from "#policies/expression/check-context.ts";
import type { ExpressionProblem } from "#policies/expression/expression-problem.ts";
import { globProblem } from "#policies/expression/glob.ts";
import { readCondition, readValue } from "#policies/expression/read-expression.ts";
import { regexProblem } from "#policies/expression/regex-syntax.ts";
import { describeType } from "#policies/expression/value-type.ts";
import { openMemoryIndex } from "../memory-index.ts";

let registry: AttributeRegistry;
beforeAll(async () => {
  registry = await loadAttributes();
});

function read(text: string, kind: typeof readValue = readValue) {
  const problems: ExpressionProblem[] = [];
  const expression = kind(text, {
    registry,
    scope: "object",
    variables: noVariables,
    classes: noClasses,
    report: (problem) => problems.push(problem),
  });
  return { expression, problems };
}

function shape(text: string): unknown {
  return read(text, readCondition).expression;
}

function code(text: string): string | undefined {
  return read(text, readCondition).problems[0]?.code;
}

describe("literals", () => {
  test.for([
    ["30d", 30 * 86_400_000, "a duration"],
    ["1h30m", 5_400_000, "a duration"],
    ["500ms", 500, "a duration"],
    ["10GiB", 10 * 2 ** 30, "bytes"],
    ["1.5 MB", 1_500_000, "bytes"],
    ["85%", 0.85, "a percentage"],
    ["7%", 0.07, "a percentage"],
    ["100k", 100_000, "a number"],
    ["1e3", 1000, "a number"],
    ["200/min", 200 / 60_000, "a rate"],
    ["20MiB/s", (20 * 2 ** 20) / 1000, "a bandwidth"],
    ["0.10 USD/GiB/month", 0.1 / 2 ** 30 / (30 * 86_400_000), "money per bytes and time"],
    ["50 USD/month", 50 / (30 * 86_400_000), "money per time"],
    ["2026-02-28", Date.UTC(2026, 1, 28), "a point in time"],
    ["2026-02-28T18:30:00+02:00", Date.UTC(2026, 1, 28, 16, 30), "a point in time"],
    ["2026-02-28 18:30", Date.UTC(2026, 1, 28, 18, 30), "a point in time"],
    [String.raw`"it's \"so\" \\ "`, String.raw`it's "so" \ `, "text"],
  ] as const)("%s", ([text, value, type]) => {
    const { expression, problems } = read(text);
    expect(problems).toEqual([]);
    expect(expression).toMatchObject({ kind: "literal", value });
    expect(expression && describeType(expression.type)).toBe(type);
  });
});

describe("dimensions", () => {
  test.for([
    ["size + 1MiB", "bytes"],
    ["size / 1MiB", "a number"],
    ["size / age", "a bandwidth"],
    ["10% * size", "bytes"],
    ["now - created", "a duration"],
    ["created + 30d", "a point in time"],
    ["20MiB/s * 1h", "bytes"],
    ["0.10 USD/GiB/month * size * 30d", "money"],
    ["-heat", "a number"],
  ] as const)("%s is %s", ([text, type]) => {
    const { expression, problems } = read(text);
    expect(problems).toEqual([]);
    expect(expression && describeType(expression.type)).toBe(type);
  });

  test.for(["size + 3d", "created + created", "now * 2", "owner + 1", "size - 10%", "-owner"])(
    "%s means nothing",
    (text) => {
      expect(read(text).problems.map(({ code }) => code)).toEqual(["E0204"]);
    },
  );
});

test("and binds stronger than or, not stronger than and, arithmetic stronger than comparison", () => {
  expect(shape("held or held and not held")).toMatchObject({
    kind: "logical",
    operator: "or",
    operands: [
      { kind: "attribute" },
      { kind: "logical", operator: "and", operands: [{ kind: "attribute" }, { kind: "not" }] },
    ],
  });
  expect(shape("not heat + 2 * heat > 1 and held")).toMatchObject({
    kind: "logical",
    operands: [
      { kind: "not", operand: { kind: "comparison", left: { right: { operator: "*" } } } },
      { kind: "attribute" },
    ],
  });
  expect(shape("heat - 1 - 1 > 0")).toMatchObject({
    left: { operator: "-", left: { operator: "-" }, right: { value: 1 } },
  });
});

test("whatever is typed, the parser answers with an expression or with problems inside the text", () => {
  const word = fc.constantFrom(
    ..."size heat and or not in between like matches has missing ( ) [ ] , < <= = != + - * / . $x".split(
      " ",
    ),
    ...'30d 10GiB 85% "a" \'b null true now class copies accesses tier hot 2026-01-01 %'.split(" "),
  );
  const text = fc.oneof(
    fc.array(word, { maxLength: 12 }).map((words) => words.join(" ")),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (source) => {
      const { expression, problems } = read(source, readCondition);
      const isWrong = problems.some(({ code }) => code.startsWith("E"));
      expect(expression === undefined).toBe(isWrong);
      for (const { span } of problems) {
        expect(span.start).toBeGreaterThanOrEqual(0);
        expect(span.end).toBeGreaterThanOrEqual(span.start);
        expect(span.end).toBeLessThanOrEqual(source.length);
      }
    }),
    { numRuns: 2000, seed: 1 },
  );
});

test("deep nesting and endless texts are refused, not followed", () => {
  expect(code(`${"(".repeat(5000)}held${")".repeat(5000)}`)).toBe("E0155");
  expect(code(`${"not ".repeat(2000)}held`)).toBe("E0155");
  expect(code("held or ".repeat(5000))).toBe("E0155");
  expect(code(Array(1000).fill("held").join(" or "))).toBeUndefined();
});

test("a regular expression is accepted exactly when the database accepts it", async () => {
  using index = await openMemoryIndex();
  const piece = fc.constantFrom(
    ..."a b . * + ? | ^ $ ( ) (?: (?i) (?= (?! (?P<n> [ ] [a-z] [^a] [z-a] [[:alpha:]] {2} {2,1} {1001}".split(
      " ",
    ),
    ...String.raw`\d \w \b \1 \pN \p{Greek} \p{Nope} \x41 \x{1F600} \Q \E \. \z - ,`.split(" "),
  );
  const pattern = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(""));
  await fc.assert(
    fc.asyncProperty(pattern, async (regex) => {
      const statement = { text: "select regexp_matches('ab', $1::VARCHAR)", parameters: [regex] };
      const accepted = await index.rows(statement).then(
        () => true,
        () => false,
      );
      expect({ regex, accepted: regexProblem(regex) === undefined }).toEqual({ regex, accepted });
    }),
    { numRuns: 1500, seed: 3 },
  );
});

test.for(["/a/***", "/a/[b", "/a/{b,c", "a\\", "[z-a]", "[]"])("the glob %s is refused", (glob) => {
  expect(globProblem(glob)).toBeDefined();
});
