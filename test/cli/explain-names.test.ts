import { expect, test } from "vitest";
import { formatExplanation } from "#cli/output/format-explanation.ts";
import { sampleObject } from "../api/sample-values.ts";

const now = new Date("2026-06-01");

function explained(...names: readonly string[]): readonly string[] {
  const object = { ...sampleObject, path: "/a", nameCount: names.length, names };
  const explanation = { object, evaluatedAt: now.toISOString(), rules: [], conclusion: [] };
  return formatExplanation({ ...explanation, nextChange: undefined }, now).split("\n");
}

test("explain shows the other names of an object, a few of them", () => {
  expect(explained("/a")[1]).toBe(sampleObject.cid);
  expect(explained("/a", "/b\n", "/c").slice(1, 4)).toEqual([
    "also /b\uFFFD",
    "also /c",
    sampleObject.cid,
  ]);
  const many = Array.from({ length: 9 }, (_, at) => `/${at}`);
  expect(explained("/a", ...many).slice(5, 8)).toEqual([
    "also /4",
    "also 4 more names",
    sampleObject.cid,
  ]);
});
