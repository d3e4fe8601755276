import { describe, expect, it } from "vitest";
import type { Diagnostic } from "#model/diagnostic.ts";
import { formatDiagnostics } from "#document/format-diagnostics.ts";

const sources = [{ file: "p.yaml", text: "kind: Policy\n\tname: x\n" }];
const finding = (overrides: Partial<Diagnostic> = {}): Diagnostic => ({
  file: "p.yaml",
  range: { start: { line: 1, column: 7 }, end: { line: 1, column: 13 } },
  severity: "error",
  code: "E0106",
  message: "50% is wrong",
  hint: "try:\nthis, or that",
  ...overrides,
});

describe("formatDiagnostics", () => {
  it("shows place, code frame with caret and hint to people", () => {
    expect(formatDiagnostics([finding()], sources, "text")).toBe(
      [
        "p.yaml:1:7: error: 50% is wrong [E0106]",
        "1 | kind: Policy",
        "  |       ^^^^^^",
        "hint: try:\nthis, or that",
        "docs: docs/document-diagnostics.md#E0106",
        "",
      ].join("\n"),
    );
  });

  it("keeps the caret under the text behind a tab", () => {
    const range = { start: { line: 2, column: 2 }, end: { line: 2, column: 6 } };
    expect(formatDiagnostics([finding({ range })], sources, "text")).toContain("\n  | \t^^^^\n");
  });

  it("cuts long lines around the caret", () => {
    const text = `${"x".repeat(500)}BAD${"y".repeat(500)}`;
    const range = { start: { line: 1, column: 501 }, end: { line: 1, column: 504 } };
    const output = formatDiagnostics([finding({ range })], [{ file: "p.yaml", text }], "text");
    const [, line = "", carets = ""] = output.split("\n");
    expect(line.length).toBeLessThan(110);
    expect(line.slice(carets.indexOf("^"), carets.lastIndexOf("^") + 1)).toBe("BAD");
  });

  it("uses colours only when asked", () => {
    expect(formatDiagnostics([finding()], sources, "text", { color: true })).toContain("\u001B[");
    expect(formatDiagnostics([finding()], sources, "text")).not.toContain("\u001B[");
  });

  it("never repeats a secret that was written out", () => {
    const output = formatDiagnostics([finding({ code: "E0110" })], sources, "text");
    expect(output).not.toContain("Policy");
  });

  it("gives programs one JSON document with a schema version", () => {
    expect(JSON.parse(formatDiagnostics([finding()], sources, "json"))).toEqual({
      schemaVersion: 1,
      diagnostics: [
        {
          file: "p.yaml",
          severity: "error",
          code: "E0106",
          message: "50% is wrong",
          hint: "try:\nthis, or that",
          range: { start: { line: 1, col: 7 }, end: { line: 1, col: 13 } },
          docs: "docs/document-diagnostics.md#E0106",
        },
      ],
    });
  });

  it("escapes what GitHub's workflow commands would misread", () => {
    expect(formatDiagnostics([finding({ file: "a,b.yaml" })], sources, "github")).toBe(
      "::error file=a%2Cb.yaml,line=1,endLine=1,col=7,endColumn=13,title=E0106::" +
        "50%25 is wrong%0Ahint: try:%0Athis, or that\n",
    );
  });
});
