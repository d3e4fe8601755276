import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { errorCodes } from "#model/engine-error.ts";

const page = await readFile(new URL("../../docs/exit-codes.md", import.meta.url), "utf8");
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) => line.split("|").map((cell) => cell.trim()));

test("the page lists every error code with its exit code, retry advice and meaning", () => {
  const listed = rows.filter((row) => row[1]?.startsWith("`") === true);
  expect(listed.map((row) => row.slice(1, 5))).toEqual(
    Object.entries(errorCodes).map(([code, { exit, retryable, meaning }]) => [
      `\`${code}\``,
      String(exit),
      retryable ? "yes" : "no",
      meaning,
    ]),
  );
});

test("every exit code that an error may have is explained", () => {
  const explained = rows.flatMap((row) => (row[1] ?? "").split(",").map(Number)).filter(Boolean);
  const used = new Set(Object.values(errorCodes).map(({ exit }) => exit));
  expect([...used].filter((exit) => !explained.includes(exit))).toEqual([]);
});
