import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { parseCalendars } from "#policies/timing/parse-calendars.ts";
import { demoMoment } from "../policies/demo-backends.ts";
import { codeBlocks } from "./code-blocks.ts";

test("the policy and the calendar of the page fit each other and are without any finding", async () => {
  const page = await readFile(new URL("../../docs/schedules.md", import.meta.url), "utf8");
  const blocks = codeBlocks(page).filter(({ language }) => language === "yaml");
  const sources = blocks.map(({ file = "", text }) => ({ file, text }));
  const calendars = parseCalendars(sources.filter(({ file }) => file.startsWith("calendars/")));
  expect(calendars.diagnostics).toEqual([]);
  const { policies, diagnostics } = parsePolicies(
    sources.filter(({ file }) => file.startsWith("policies/")),
    { registry: await loadAttributes(), calendars },
  );
  expect(diagnostics).toEqual([]);
  const backends = demoMoment.backends.map((one) => ({ ...one, capacityBytes: 1_000 }));
  expect(compilePolicies(policies, { ...demoMoment, backends }).diagnostics).toEqual([]);
  const windows = policies[0]?.timing.windows;
  // The last night of a quarter is denied; the night before those days is open.
  expect(windows?.isOpen(new Date("2026-06-30T21:00:00Z"))).toBe(false);
  expect(windows?.isOpen(new Date("2026-06-28T21:00:00Z"))).toBe(true);
});
