import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { errorCodes } from "#model/engine-error.ts";

const page = await readFile(new URL("../../docs/errors.md", import.meta.url), "utf8");
const sections = new Map(
  page
    .split("\n## ")
    .slice(1)
    .map((section) => {
      const [code = "", ...lines] = section.split("\n");
      return [code, lines.join("\n").trim().split("\n\n")] as const;
    }),
);

test("the page has a section for every error code, and for nothing else", () => {
  expect([...sections.keys()]).toEqual(Object.keys(errorCodes));
});

test.each(Object.entries(errorCodes))(
  "%s is explained with meaning, exit code, retry, rationale and remedy",
  (code, { exit, retryable, meaning, remedy }) => {
    const [facts = "", rationale = "", advice = ""] = sections.get(code) ?? [];
    expect(facts.toLowerCase()).toContain(meaning.toLowerCase());
    expect(facts).toContain(`Exit code ${exit};`);
    expect(facts.endsWith(" not tried again by itself.")).toBe(!retryable);
    expect(rationale.length).toBeGreaterThan(40);
    expect(advice).toBe(`Remedy: ${remedy}.`);
  },
);
