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

function withFindingOnLastLine(text: string) {
  const line = text.split("\n").length;
  const range = { start: { line, column: 1 }, end: { line, column: 3 } };
  return {
    line,
    output: formatDiagnostics([finding({ range })], [{ file: "p.yaml", text }], "text"),
  };
}

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
    expect(output).toContain("(line 1 is not shown: it may hold a secret)");
    const other = finding({ code: "E0102" });
    const both = formatDiagnostics([finding({ code: "E0110" }), other], sources, "text");
    expect(both).not.toContain("Policy");
    const elsewhere = finding({ code: "E0110", file: "other.yaml" });
    expect(formatDiagnostics([elsewhere, other], sources, "text")).toContain("Policy");
  });

  const hidden = [
    "secretAccesskey: HUNTER2, bukket: x}",
    "{path: x, key: HUNTER2",
    '"API-KEY" : "HUNTER2"',
    "  pasword_token:HUNTER2",
    "- password HUNTER2",
    "{token: env:TOKEN, password: HUNTER2}",
    "gateway: https://gateway.example/?gatewayToken=HUNTER2",
    "gatway: https://gateway.example/?t=HUNTER2",
    "url: redis://:HUNTER2@host:6379",
    "token:\nHUNTER2",
    "token: # it is\n\n  HUNTER2",
    "password: |\n  first\n    second\n  HUNTER2",
    "password: some\n  HUNTER2",
    "Authorization: Bearer HUNTER2",
    "authorization: envelope:HUNTER2",
  ];
  it.each(hidden)("hides a line that may hold a secret: %j", (text) => {
    const { output, line } = withFindingOnLastLine(text);
    expect(output).not.toContain("HUNTER2");
    expect(output).toContain(`(line ${line} is not shown: it may hold a secret)`);
  });

  const shown = [
    "{ token: env:TOKEN }",
    '{secretAccessKey: "env:S3_SECRET_ACCESS_KEY", bukket: x}',
    "password: file:/run/secrets/password # a comment",
    "keys: [a]",
    "token: env:TOKEN\nbukket: x",
    "- token: env:TOKEN\n  bukket: x",
    "url: https://host:9094/api",
    "# see https://host/page?",
  ];
  it.each(shown)("shows a line that only refers to secrets: %j", (text) => {
    const { output, line } = withFindingOnLastLine(text);
    expect(output).toContain(`${line} | ${text.split("\n").at(-1)}`);
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
