import { describe, expect, it } from "vitest";
import { loadDrivers } from "#registry.ts";
import { conformanceReport } from "../../scripts/conformance/conformance-report.ts";
import { formatConformance } from "../../scripts/conformance/format-conformance.ts";
import { kitFiles } from "../../scripts/conformance/kit-files.ts";
import type { KitResult } from "../../scripts/conformance/run-kits.ts";
import type { ServiceReport } from "../../scripts/services/service.ts";
import type { KitNote } from "./driver-kit/kit-note.ts";

function result(
  test: string,
  ended: KitResult["ended"],
  more: Partial<KitNote> & { readonly message?: string } = {},
): KitResult {
  const { message, ...noted } = more;
  const note = { driver: "kubo", subject: "kubo on Kubo", test, ...noted };
  return { note, ended, message, tookMs: 100 };
}

const absent = { service: "kubo", available: false, reason: "not installed" } as const;
const missing = { cause: "missing", reason: "kubo: not installed" } as const;

describe("the conformance report", () => {
  it("finds the kit of every driver of the registry", async () => {
    const drivers = [...(await loadDrivers()).keys()];
    const files = await kitFiles(drivers);
    expect([...files.keys()]).toEqual(drivers);
    expect([...files].filter(([, found]) => found.length === 0)).toEqual([]);
    expect(files.get("s3")).toHaveLength(3);
  });

  it("counts by server, says what it is, and conforms with skips that have a reason", () => {
    const reason = "no empty blocks";
    const results = [
      result("says which server answered", "passed", { server: "Kubo 0.42.0" }),
      result("stores nothing", "skipped", { skipped: { cause: "driver", reason } }),
      result("stores one byte", "passed"),
    ];
    const report = conformanceReport(["kubo"], results, [absent]);
    expect(report).toEqual({
      schemaVersion: 1,
      conforms: true,
      drivers: [
        {
          driver: "kubo",
          subjects: [
            {
              subject: "kubo on Kubo",
              server: "Kubo 0.42.0",
              passed: 2,
              failed: 0,
              skipped: 1,
              tookMs: 300,
              failures: [],
              skips: [{ test: "stores nothing", reason }],
            },
          ],
        },
      ],
      problems: [],
    });
    const text = formatConformance(report);
    expect(text).toMatch(/^kubo on Kubo +Kubo 0\.42\.0 +2 +0 +1 +0\.3 s$/m);
    expect(text).toContain("skipped: kubo on Kubo: stores nothing: no empty blocks\n");
    expect(text).toMatch(/\nconforms\n$/);
  });

  it("does not conform when a test fails", () => {
    const message = "expected 1 to be 2\n at somewhere";
    const report = conformanceReport(["kubo"], [result("one", "failed", { message })], []);
    expect(report.conforms).toBe(false);
    const text = formatConformance(report);
    expect(text).toContain("failed: kubo on Kubo: one: expected 1 to be 2\n");
    expect(text).toMatch(/\ndoes not conform\n$/);
  });

  it("does not conform when tests were not run and nobody had said so", () => {
    const results = [result("one", "skipped", { message: "no port" }), result("two", "skipped")];
    const { conforms, problems } = conformanceReport(["kubo"], results, []);
    expect(conforms).toBe(false);
    expect(problems).toEqual(["kubo on Kubo: 2 tests did not run: no port"]);
  });

  it("lets a server be missing only where this machine cannot have it", () => {
    const results = [result("one", "skipped", { skipped: missing })];
    const conforms = (service: ServiceReport) =>
      conformanceReport(["kubo"], results, [service]).conforms;
    expect(conforms({ ...absent, needs: "Go" })).toBe(true);
    expect(conforms(absent)).toBe(false);
  });

  it("does not conform when a driver has no kit at all", () => {
    const { conforms, problems } = conformanceReport(["tape"], [], []);
    expect(conforms).toBe(false);
    expect(problems).toEqual(["tape: no test file runs the kit on it"]);
  });
});
