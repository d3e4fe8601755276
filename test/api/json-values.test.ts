import * as fc from "fast-check";
import { expect, test } from "vitest";
import { exactJson, fromExactJson, plainJson } from "#api/json-values.ts";

const leaf = fc.oneof(
  fc.string(),
  fc.boolean(),
  fc.constant(null),
  fc.double(),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array(),
);
const key = fc.oneof(
  fc.string(),
  fc.constantFrom("$date", "$bytes", "$bigint", "$number", "$object", "__proto__"),
);
const value = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie("value")), tie("record")),
  record: fc.dictionary(key, tie("value"), { noNullPrototype: true }),
})).value;

test("every value of a row comes back exact over JSON, whatever its keys look like", () => {
  fc.assert(
    fc.property(value, (given) => {
      const sent = JSON.stringify(exactJson(given));
      expect(fromExactJson(JSON.parse(sent))).toStrictEqual(given);
    }),
  );
});

test("plain values are what a person reads: times, hex, numbers, and text beyond them", () => {
  const given = {
    at: new Date(0),
    cid: new Uint8Array([1, 85]),
    small: 7n,
    large: 2n ** 63n,
    heat: Number.POSITIVE_INFINITY,
    never: new Date(Number.NaN),
    list: [1n, null],
  };
  expect(plainJson(given)).toEqual({
    at: "1970-01-01T00:00:00.000Z",
    cid: "0155",
    small: 7,
    large: "9223372036854775808",
    heat: null,
    never: null,
    list: [1, null],
  });
});
