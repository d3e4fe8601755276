import * as fc from "fast-check";
import { stringify } from "yaml";
import type { ToStringOptions } from "yaml";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { documentLengthMax, parseDocuments } from "#document/parse-documents.ts";
import { durationField, nameField, sizeField } from "#document/fields.ts";

const schema = z.strictObject({
  kind: z.literal("Box"),
  tier: z.enum(["hot", "warm", "cold"]).optional(),
  size: sizeField.optional(),
  keep: durationField.optional(),
  rules: z
    .array(
      z.strictObject({
        name: nameField,
        where: z.string().superRefine((text, context) => {
          const from = text.indexOf("@");
          if (from === -1) return;
          const params = { code: "E0999", from, to: from + 1 };
          context.addIssue({ code: "custom", message: "no @ here", params });
        }),
        action: z.union([z.string(), z.strictObject({ to: z.string() })]).optional(),
      }),
    )
    .max(3)
    .default([]),
});

/** `line:column code message | hint` for each finding. */
function findings(text: string): string[] {
  return parseDocuments({ file: "box.yaml", text }, schema).diagnostics.map(
    ({ range, code, message, hint }) =>
      `${range.start.line}:${range.start.column}-${range.end.line}:${range.end.column} ${code} ${message}${hint === undefined ? "" : ` | ${hint}`}`,
  );
}

function withAction(action: string): string {
  return `kind: Box\nrules:\n  - {name: a, where: x, action: ${action}}\n`;
}

describe("parseDocuments", () => {
  it("gives the validated value of each document in a file and skips empty ones", () => {
    const text = "---\nkind: Box\nkeep: 1h30m\n---\n# nothing\n---\nkind: Box\nsize: 2KiB\n";
    const { documents, diagnostics } = parseDocuments({ file: "a.yaml", text }, schema);
    expect(diagnostics).toEqual([]);
    expect(documents.map((document) => document.value)).toEqual([
      { kind: "Box", keep: 5_400_000, rules: [] },
      { kind: "Box", size: 2048, rules: [] },
    ]);
    expect(documents[1]?.places.label(["size"])).toBe("a.yaml:8:7");
  });

  it("reports everything that is wrong at once, each at its own place", () => {
    const text = [
      "kind: Bos",
      "tier: hott",
      "size: 3 parsecs",
      "rules:",
      "  - name: demote-cold",
      "    actoin: x",
      "    where: 5",
      "  - name: Not OK",
      "",
    ].join("\n");
    expect(findings(text)).toEqual([
      '1:7-1:10 E0106 "Bos" is not a value of "kind" | did you mean "Box"? (allowed: Box)',
      '2:7-2:11 E0106 "hott" is not a value of "tier" | did you mean "hot"? (allowed: hot, warm, cold)',
      '3:7-3:16 E0106 "3 parsecs" is not a size | write a number with a unit, such as 10GiB, 500MB, 64KiB, 4096B',
      '6:5-6:11 E0102 unknown key "actoin" in rule "demote-cold" | did you mean "action"? (allowed: name, where, action)',
      '7:12-7:13 E0105 expected text, found 5 | put it in quotes: "5"',
      '8:5-8:9 E0104 the key "where" is missing in rule "Not OK" | add "where: …" (text)',
      '8:11-8:17 E0106 "Not OK": a name has lower-case letters, digits and inner dashes, at most 63, such as not-ok',
    ]);
  });

  it("goes on to the next document after one that is broken", () => {
    const { documents, diagnostics } = parseDocuments(
      { file: "a.yaml", text: "kind: [\n---\nkind: Box\n" },
      schema,
    );
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(documents.map((document) => document.value?.kind)).toEqual([undefined, "Box"]);
  });

  it("refuses a key that stands twice and names it", () => {
    expect(findings("kind: Box\ntier: hot\ntier: cold\n")).toEqual([
      '3:1-3:5 E0103 the key "tier" stands twice | keep one of the two: which one would win is not obvious to a reader',
    ]);
  });

  it("explains tabs, tags and keys that are no text", () => {
    expect(findings("kind: Box\nrules:\n\t- name: a\n")[0]).toMatch(/^3:1-\S+ E0101 a tab indents/);
    expect(findings("kind: !!js/function Box\n")[0]).toContain("E0101 YAML tags (`!name`) mean");
    expect(findings("? [a]\n: b\n")[0]).toContain("E0101 a key must be plain text");
  });

  it("explains the comma of an expression that ends it within a map in one line", () => {
    expect(findings('kind: Box\nrules: {on: backend in ("a", "b"), per: tier}\n')).toEqual([
      "2:33-2:34 E0101 a comma of a text that has no quotes ends it within { } | " +
        `put an expression with commas in quotes: {from: 'backend in ["a", "b"]'}`,
    ]);
  });

  it("reads files with a byte order mark and Windows line ends like any other", () => {
    expect(findings("\uFEFFkind: Box\r\ntier: hott\r\n")[0]).toMatch(/^2:7-2:11 E0106 "hott"/);
  });

  it("treats prototype names as ordinary unknown keys", () => {
    expect(findings("kind: Box\n__proto__: {tier: hot}\n")[0]).toMatch(
      /^2:1-2:10 E0102 unknown key "__proto__"/,
    );
  });

  it("picks the fitting branch of a union, and lists the types when none fits", () => {
    expect(findings(withAction("{other: x}"))).toEqual([
      '3:25-3:31 E0104 the key "to" is missing in "action" | add "to: …" (text)',
      '3:34-3:39 E0102 unknown key "other" in "action" | allowed: to',
    ]);
    expect(findings(withAction("7"))[0]).toContain("E0105 expected text or a map, found 7");
  });

  it("takes a misspelt key for one mistake, not for a missing one too", () => {
    expect(findings(withAction("{too: x}"))).toEqual([
      '3:34-3:37 E0102 unknown key "too" in "action" | did you mean "to"? (allowed: to)',
    ]);
  });

  it("says that a file holds nothing", () => {
    expect(findings("# only a comment\n")[0]).toContain("1:1-1:1 E0109 the file holds no document");
    expect(findings("")[0]).toContain("E0109");
  });

  it("refuses what is too large or nested too deeply, in little time", () => {
    expect(findings(" ".repeat(documentLengthMax + 1))[0]).toContain("E0108");
    expect(findings("[".repeat(100_000))).toEqual([
      expect.stringContaining("E0101 the document is nested too deeply"),
    ]);
  });
});

describe("any text at all", () => {
  it("has its line ends counted inside broken tokens too", () => {
    expect(findings("*a $\nkind: Boxkind: Box").some((found) => found.startsWith("2:"))).toBe(true);
    expect(
      findings('{kind: Box["\n').every((found) => /^(1:\d\b|1:1[0-3]\b|2:1\b)/.test(found)),
    ).toBe(true);
  });

  const piece = fc.constantFrom(
    "kind: Box",
    "rules:",
    "  - ",
    "name: ",
    "&a",
    "*a",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "? ",
    "|",
    ">-",
    "\n",
    "\r\n",
    "\t",
    "---",
    "'",
    '"',
    "!!binary ",
    "%YAML 9",
    "#",
    "\\",
    "\u0000",
    "\uD800",
    "é",
    "<<: ",
  );
  it("gives a value or at least one finding, with places inside the file", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }), (pieces) => {
        const text = pieces.join("");
        const { documents, diagnostics } = parseDocuments({ file: "x", text }, schema);
        const isValid = documents.length > 0 && documents.every(({ value }) => value !== undefined);
        const errors = diagnostics.filter(({ severity }) => severity === "error");
        expect(isValid).toBe(errors.length === 0);
        const lines = text.split("\n");
        for (const { range } of diagnostics) {
          expect(range.start.line).toBeLessThanOrEqual(Math.max(1, lines.length));
          expect(range.start.column).toBeLessThanOrEqual(
            (lines[range.start.line - 1] ?? "").length + 1,
          );
          const isOrdered =
            range.start.line < range.end.line ||
            (range.start.line === range.end.line && range.start.column <= range.end.column);
          expect(isOrdered).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("aliases", () => {
  it("are expanded where they are used with measure", () => {
    const text = "kind: Box\nrules:\n  - &a {name: a, where: x}\n  - *a\n";
    const { documents } = parseDocuments({ file: "a.yaml", text }, schema);
    expect(documents[0]?.value?.rules).toEqual([
      { name: "a", where: "x" },
      { name: "a", where: "x" },
    ]);
    expect(documents[0]?.places.label(["rules", 1, "where"])).toBe("a.yaml:3:25");
  });

  it("cannot be used as a bomb", () => {
    const levels = Array.from({ length: 30 }, (_, level) => {
      const below = level === 0 ? "x" : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array.from({ length: 10 }, () => below).join(", ")}]`;
    });
    const found = findings(`kind: Box\n${levels.join("\n")}\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^6:9-\S+ E0107 aliases expand this to more than 100000 values/);
  });

  it("may neither contain themselves nor name nothing", () => {
    expect(findings("kind: &k {a: *k}\n")[0]).toMatch(/^1:14-1:16 E0107 the alias "\*k" contains/);
    expect(findings("kind: *nope\n")[0]).toContain("*nope");
  });
});

describe("places inside text", () => {
  const cases: readonly [title: string, yaml: string][] = [
    ["plain text", "where: ab @ c"],
    ["single quotes", "where: 'it''s @ c'"],
    ["double quotes", 'where: "a\\u0062\\t\\"@"'],
    ["double quotes over several lines", 'where: "a \\\n      b\n\n      c@"'],
    ["a folded plain text", "where: ab\n      and @ c"],
    ["a literal block", "where: |\n      ab\n\n      c @ d"],
    ["a literal block with an indentation mark", "where: |2\n       ab\n      c @ d"],
    ["a folded block", "where: >-\n      ab\n      c @ d"],
  ];
  it.each(cases)("are found in %s", (_title, yaml) => {
    const text = `kind: Box\nrules:\n  - ${yaml}\n    name: a\n`;
    const before = text.slice(0, text.indexOf("@")).split("\n");
    const [line, column] = [before.length, (before.at(-1) ?? "").length + 1];
    expect(findings(text)).toEqual([`${line}:${column}-${line}:${column + 1} E0999 no @ here`]);
  });

  it("are right for any text in any style of quoting", () => {
    const character = fc.constantFrom(...Array.from("ab'\"\\ \t\né😀:#-"));
    const textWithMark = fc
      .tuple(fc.string({ unit: character }), fc.string({ unit: character }))
      .map(([before, after]) => `x${before}@${after}y`);
    const style = fc.constantFrom("PLAIN", "QUOTE_SINGLE", "QUOTE_DOUBLE", "BLOCK_LITERAL");
    fc.assert(
      fc.property(textWithMark, style, (where, type) => {
        const written = { kind: "Box", rules: [{ name: "a", where }] };
        const options = { defaultStringType: type, defaultKeyType: "PLAIN" } as const;
        const text = stringify(written, options as ToStringOptions);
        const before = text.slice(0, text.indexOf("@")).split("\n");
        const place = `${before.length}:${(before.at(-1) ?? "").length + 1}-`;
        expect(findings(text)[0]?.startsWith(place)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a line without a colon", () => {
  const lines: readonly (readonly [title: string, line: string, hint: string])[] = [
    // Its time must not grow with the square of its length: this took hours once.
    ["of very many blanks", `key x${" ".repeat(1_000_000)}y`, 'write "key: …"'],
    ["with a long value", `key ${"v".repeat(100_000)}`, 'write "key: …"'],
    ["with a long key", `${"k".repeat(100_000)} v`, "write key: value"],
    ["that ends as lines of Windows do", "key v\r", 'write "key: v"'],
  ];
  it.each(lines)("%s has a short hint", (_title, line, hint) => {
    const message = "this line has no colon after its key";
    const found = findings(`kind: Box\n${line}\ntier: hot\n`);
    expect(found.map((text) => text.replace(/^\S+ /, ""))).toContain(`E0101 ${message} | ${hint}`);
  });
});
