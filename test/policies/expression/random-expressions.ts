import * as fc from "fast-check";
import {
  dayMs,
  objectCids,
  pairs as tagPairs,
  testNow,
  type TestObject,
  words,
} from "./random-objects.ts";
import { benefitConditions } from "./benefit-meanings.ts";
import { copyConditions, globs, regexes } from "./condition-tables.ts";
import { isLarge, lookUp, realDays, stateOf, valueByKey } from "./object-values.ts";
import { seriesConditions, seriesDurations } from "./series-meanings.ts";

/**
 * Random expressions as text, each with its meaning written here a second time, independently:
 * a function of an object to a value, null for unknown.
 */
export interface Meaning<Value> {
  readonly text: string;
  readonly of: (object: TestObject) => Value | null;
}

type Condition = Meaning<boolean>;
type Quantity = Meaning<number>;
type Text = Meaning<string>;

const attribute = <Value>(text: string, of: Meaning<Value>["of"]): Meaning<Value> => ({ text, of });
const always = <Value>(text: string, value: Value): Meaning<Value> => ({ text, of: () => value });

const bytes: fc.Arbitrary<Quantity> = fc.oneof(
  fc.constant(attribute("size", (object) => object.size)),
  fc.constantFrom(always("0B", 0), always("1KiB", 1024), always("1 MiB", 1_048_576)),
  fc.integer({ min: 0, max: 3000 }).map((kib) => always(`${kib}KiB`, kib * 1024)),
);

const duration: fc.Arbitrary<Quantity> = fc.oneof(
  fc.constantFrom(
    attribute("idle", (object) => testNow - (object.accessed ?? object.ingested)),
    attribute("age", (object) => testNow - object.created),
    attribute("expires_in", (object) => (object.expiry === null ? null : object.expiry - testNow)),
    attribute("duration(meta.span)", (object) =>
      lookUp({ "2d": 2 * dayMs, "36h": 1.5 * dayMs }, valueByKey(object, "span")),
    ),
    ...seriesDurations,
  ),
  fc.integer({ min: 0, max: 60 }).map((days) => always(`${days}d`, days * dayMs)),
  fc.integer({ min: 1, max: 9 }).map((hours) => always(`1d${hours}h`, dayMs + hours * 3.6e6)),
);

const number: fc.Arbitrary<Quantity> = fc.oneof(
  fc.constantFrom(
    attribute("heat", (object) => object.weight * 2 ** -4),
    attribute("heat_rank", (object) => object.hotter + 1),
    attribute("depth", ({ path }) =>
      path === null ? null : path.replace(/^\/+/, "").split("/").length - 1,
    ),
    attribute("number(meta.rank)", (object) =>
      lookUp({ "3": 3, "-0.5": -0.5 }, valueByKey(object, "rank")),
    ),
    attribute(
      "lacks(tier >= warm)",
      ({ copies }) => ["1", "2", "3"].filter((id) => copies[id] === undefined).length,
    ),
  ),
  fc.integer({ min: 0, max: 9 }).map((value) => always(String(value), value)),
  fc.constantFrom(always("0.25", 0.25), always("1.5", 1.5), always("2k", 2000)),
  fc.constantFrom(1, 5, 7, 30).map((days) =>
    attribute(`accesses(${days}d)`, (object) =>
      Object.entries(object.reads)
        .filter(([before]) => Number(before) <= days)
        .reduce((sum, [, reads]) => sum + reads, 0),
    ),
  ),
  fc
    .constantFrom(...copyConditions)
    .map(([text, holds]) =>
      attribute(
        `copies(${text})`,
        (object) =>
          Object.entries(object.copies).filter(([id, level]) => holds(Number(id), level)).length,
      ),
    ),
);

const timestamp: fc.Arbitrary<Quantity> = fc.oneof(
  fc.constantFrom(
    always("now", testNow),
    always("2026-05-01T12:00:00Z", Date.parse("2026-05-01T12:00:00Z")),
    attribute("created", (object) => object.created),
    attribute("modified", (object) => object.modified),
    attribute("accessed", (object) => object.accessed),
    attribute("moved", (object) => object.moved),
    attribute("timestamp(meta.day)", (object) => {
      const day = valueByKey(object, "day");
      return lookUp(Object.fromEntries(realDays.map((text) => [text, Date.parse(text)])), day);
    }),
    attribute("midnight(created)", (object) => object.created - (object.created % dayMs)),
    attribute("max(created, modified)", ({ created, modified }) =>
      modified === null ? null : Math.max(created, modified),
    ),
  ),
);

const text: fc.Arbitrary<Text> = fc.oneof(
  fc.constantFrom(
    attribute("path", (object) => object.path),
    attribute("name", (object) => object.path?.split("/").at(-1) ?? null),
    attribute("type", (object) => object.type),
    attribute("owner", (object) => object.owner),
    attribute("collection", (object) => object.collection),
    attribute("state", stateOf),
    attribute("meta.team", (object) => valueByKey(object, "team")),
    attribute("meta.level", (object) => valueByKey(object, "level")),
    attribute('coalesce(owner, "a")', (object) => object.owner ?? "a"),
    attribute("if(size > 4KiB, owner, collection)", (object) =>
      isLarge(object) ? object.owner : object.collection,
    ),
    attribute("lower(name)", (object) => object.path?.split("/").at(-1)?.toLowerCase() ?? null),
  ),
);

const literalText = fc
  .constantFrom(...words, ...tagPairs, "image/png", "stored", "lost", "deleting", "")
  .map((word) => always(word.includes("'") ? `"${word}"` : `'${word}'`, word));

type Calculation = (left: number, right: number) => number | null;
const arithmetic: Readonly<Record<string, Calculation>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => (right === 0 ? null : left / right),
};

function combined(
  operators: readonly string[],
  left: fc.Arbitrary<Quantity>,
  right: fc.Arbitrary<Quantity>,
): fc.Arbitrary<Quantity> {
  return fc.tuple(fc.constantFrom(...operators), left, right).map(([operator, one, other]) =>
    attribute(`(${one.text} ${operator} ${other.text})`, (object) => {
      const [a, b] = [one.of(object), other.of(object)];
      return a === null || b === null ? null : (arithmetic[operator]?.(a, b) ?? null);
    }),
  );
}

const same = (kind: fc.Arbitrary<Quantity>): fc.Arbitrary<Quantity> =>
  fc.oneof(
    { weight: 3, arbitrary: kind },
    { weight: 1, arbitrary: combined(["+", "-"], kind, kind) },
    { weight: 1, arbitrary: combined(["*", "/"], kind, number) },
  );
const instants = fc.oneof(
  { weight: 3, arbitrary: timestamp },
  { weight: 1, arbitrary: combined(["+", "-"], timestamp, duration) },
);
const percent: fc.Arbitrary<Quantity> = fc.oneof(
  fc.constant(attribute("heat_percentile", (object) => object.colder / object.total)),
  fc.integer({ min: 0, max: 20 }).map((twentieth) => always(`${twentieth * 5}%`, twentieth / 20)),
);
const kinds = [same(bytes), same(duration), same(number), instants, percent];
const pairs = fc.oneof(...kinds.map((kind) => fc.tuple(kind, kind)));

const order: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  "=": (left, right) => left === right,
  "!=": (left, right) => left !== right,
  "<": (left, right) => left < right,
  "<=": (left, right) => left <= right,
  ">": (left, right) => left > right,
  ">=": (left, right) => left >= right,
};

const comparison: fc.Arbitrary<Condition> = fc
  .tuple(fc.constantFrom(...Object.keys(order)), pairs)
  .map(([operator, [left, right]]) =>
    attribute(`${left.text} ${operator} ${right.text}`, (object) => {
      const [a, b] = [left.of(object), right.of(object)];
      return a === null || b === null ? null : (order[operator]?.(a, b) ?? null);
    }),
  );

const between: fc.Arbitrary<Condition> = fc
  .tuple(same(bytes), bytes, bytes)
  .map(([value, low, high]) =>
    attribute(`${value.text} between ${low.text} and ${high.text}`, (object) => {
      const [a, b, c] = [value.of(object), low.of(object), high.of(object)];
      if (a !== null && b !== null && a < b) return false;
      if (a !== null && c !== null && a > c) return false;
      return a === null || b === null || c === null ? null : true;
    }),
  );

const textCondition: fc.Arbitrary<Condition> = fc.oneof(
  fc.tuple(text, fc.oneof(text, literalText), fc.boolean()).map(([left, right, equal]) =>
    attribute(`${left.text} ${equal ? "=" : "!="} ${right.text}`, (object) => {
      const [a, b] = [left.of(object), right.of(object)];
      return a === null || b === null ? null : (a === b) === equal;
    }),
  ),
  fc
    .tuple(text, fc.constantFrom(...globs))
    .map(([left, [glob, regex]]) => matching(left, `like "${glob}"`, regex)),
  fc
    .tuple(text, fc.constantFrom(...regexes))
    .map(([left, [pattern, regex]]) =>
      matching(left, `matches '${pattern.replaceAll("\\", "\\\\")}'`, regex),
    ),
  fc
    .tuple(text, fc.uniqueArray(literalText, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([left, items, negated]) =>
      attribute(
        `${left.text} ${negated ? "not in" : "in"} [${items.map((item) => item.text).join(", ")}]`,
        (object) => {
          const value = left.of(object);
          if (value === null) return null;
          return items.some((item) => item.of(object) === value) !== negated;
        },
      ),
    ),
);

function matching(left: Text, clause: string, regex: RegExp): Condition {
  return attribute(`${left.text} ${clause}`, (object) => {
    const value = left.of(object);
    return value === null ? null : regex.test(value);
  });
}

const others: fc.Arbitrary<Condition> = fc.oneof(
  fc.constantFrom(
    attribute<boolean>("held", (object) => object.held),
    attribute<boolean>("missing(tags)", (object) => object.tags.length === 0),
    attribute<boolean>("missing(collection)", (object) => object.collection === null),
    attribute<boolean>("owner = null", (object) => object.owner === null),
    attribute<boolean>("accessed != null", (object) => object.accessed !== null),
    attribute<boolean>("expires_in = null", (object) => object.expiry === null),
    attribute<boolean>("missing(meta.team)", (object) => valueByKey(object, "team") === null),
    attribute<boolean>(
      `cid in [${objectCids.slice(0, 40).join(", ")}]`,
      (object) => object.id < 40,
    ),
    attribute<boolean>(`cid != ${objectCids[3]}`, (object) => object.id !== 3),
    attribute<boolean>("class small", (object) => object.size < 4096),
    attribute<boolean>(
      "class old and size > $most",
      (object) => object.created < testNow - 30 * dayMs && object.size > 1_048_576,
    ),
    attribute<boolean>(
      "heat_percentile / 50% >= 1",
      (object) => object.colder / object.total / 0.5 >= 1,
    ),
    ...seriesConditions,
    ...benefitConditions,
    attribute<boolean>('tags like "*.{jpg,png}"', ({ tags }) =>
      tags.some((tag) => /^[^/]*\.(jpg|png)$/.test(tag)),
    ),
    attribute<boolean>('tags matches "^team="', ({ tags }) =>
      tags.some((tag) => tag.startsWith("team=")),
    ),
    attribute<boolean>("true", () => true),
    attribute<boolean>("false", () => false),
  ),
  literalText.map((tag) =>
    attribute(`tags has ${tag.text}`, (object) => object.tags.includes(tag.of(object) ?? "")),
  ),
);

/** Conditions up to a few levels deep. */
export const randomCondition: fc.Arbitrary<Condition> = fc.letrec<{ condition: Condition }>(
  (tie) => ({
    condition: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      comparison,
      textCondition,
      others,
      between,
      tie("condition").map(({ text: inner, of }) =>
        attribute<boolean>(`not (${inner})`, (object) => {
          const value = of(object);
          return value === null ? null : !value;
        }),
      ),
      fc
        .tuple(
          fc.constantFrom("and", "or"),
          fc.array(tie("condition"), { minLength: 2, maxLength: 3 }),
        )
        .map(([operator, parts]) =>
          attribute(parts.map((part) => `(${part.text})`).join(` ${operator} `), (object) => {
            const values = parts.map((part) => part.of(object));
            const decisive = operator === "or";
            if (values.includes(decisive)) return decisive;
            return values.includes(null) ? null : !decisive;
          }),
        ),
    ),
  }),
).condition;
