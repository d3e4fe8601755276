import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { sortKeys } from "#document/formatting/sort-keys.ts";
import { schemaOf } from "#engine/documentation/schema-of.ts";
import { initialConfig, initialPolicy, initialTest } from "#cli/initial-files.ts";

test("keys come into the order of the schema, each with its comments and blank lines", () => {
  const text = `# yaml-language-server: $schema=x
# what the file is about
kind: Policy  # a kind

# before apiVersion
apiVersion: thermocline/v1
rules:
  # first rule
  - where: >-
      idle > 30d
      and heat < 1

    # its name
    name: "a"   # quoted
    hold: true
    # inside of rules

# what it is
metadata:
  priority: 3
  name: a # meta
classes: {b: held, a: class b}
`;
  expect(sortKeys(text, schemaOf)).toBe(`# yaml-language-server: $schema=x
# what the file is about
# before apiVersion
apiVersion: thermocline/v1
kind: Policy  # a kind

# what it is
metadata:
  name: a # meta
  priority: 3
classes: {b: held, a: class b}
rules:
  # first rule
  # its name
  - name: "a"   # quoted
    where: >-
      idle > 30d
      and heat < 1
    hold: true
    # inside of rules
`);
});

test("maps in one line are sorted in place, and those with comments inside are left alone", () => {
  expect(
    sorted(
      `  - {where: held, name: "x", evict: {from: true},\n     limit: {bytes: 1, objects: 2}}\n`,
    ),
  ).toBe(
    `  - {name: "x", where: held, limit: {objects: 2, bytes: 1},\n     evict: {from: true}}\n`,
  );
  const commented = `  - {where: held, # why\n     name: x, hold: true}\n`;
  expect(sorted(commented)).toBe(commented);
});

test("what is no document of ours, and keys that no schema knows, keep their places", () => {
  const other = "b: 1\na: 2\n";
  expect(sortKeys(other, schemaOf)).toBe(other);
  const strange = "kind: Calendar\nzzz: 1\nyyy: 2\napiVersion: thermocline/v1\n";
  expect(sortKeys(strange, schemaOf)).toBe(
    "apiVersion: thermocline/v1\nkind: Calendar\nzzz: 1\nyyy: 2\n",
  );
});

test("a text that is not sound, or would come to mean something else, is not sorted", () => {
  expect(sortKeys("kind: Policy\napiVersion: [\n", schemaOf)).toBeUndefined();
  const alias = "kind: Policy\nmetadata: &m {name: p}\napiVersion: *m\n";
  expect(sortKeys(alias, schemaOf)).toBeUndefined();
});

test("the configuration is sorted with its kind and without", () => {
  const kinds = ["kind: Config\n", ""].map(
    (kind) => `${kind}policies: [p]\napiVersion: thermocline/v1\n`,
  );
  expect(kinds.map((text) => sortKeys(text, schemaOf))).toEqual([
    "apiVersion: thermocline/v1\nkind: Config\npolicies: [p]\n",
    "apiVersion: thermocline/v1\npolicies: [p]\n",
  ]);
});

test("several documents of a file, Windows line ends and a missing last line end are kept", () => {
  const text =
    "kind: Policy\r\napiVersion: thermocline/v1\r\n---\r\nkind: Calendar\r\napiVersion: thermocline/v1";
  const sorted = sortKeys(text, schemaOf) ?? "";
  expect(sorted.replaceAll("\r\n", "\n").trimEnd()).toBe(
    "apiVersion: thermocline/v1\nkind: Policy\n---\napiVersion: thermocline/v1\nkind: Calendar",
  );
});

test("what init writes and the examples are in order", () => {
  const folder = fileURLToPath(new URL("../../examples/policies/", import.meta.url));
  const examples = readdirSync(folder).map((file) => readFileSync(`${folder}${file}`, "utf8"));
  for (const text of [initialConfig, initialPolicy, initialTest, ...examples]) {
    expect(sortKeys(text, schemaOf)).toBe(text);
  }
});

/** A block map whose items come in any order, with comments and blank lines strewn in. */
function shuffled(items: readonly string[], indent: string): fc.Arbitrary<string> {
  const lead = fc.constantFrom("", "", "\n", "# note\n", "\n# note: a, b\n", "# one\n\n# two\n");
  return fc
    .tuple(
      fc.shuffledSubarray([...items], { minLength: items.length }),
      fc.array(lead, { minLength: items.length, maxLength: items.length }),
    )
    .map(([order, leads]) =>
      order
        .map((item, at) => {
          const above = at === 0 ? "" : (leads[at] ?? "").replaceAll(/^(?=#)/gm, indent);
          return `${above}${at === 0 ? "" : indent}${item}\n`;
        })
        .join(""),
    );
}

const policies = fc
  .tuple(
    shuffled(
      [
        "name: a # its name",
        "where: >-\n      idle > 30d\n\n      and heat < 1 # not a comment",
        "demote: {to: tier = cold, from: tier = hot}",
        "order: [heat asc,\n      size desc]",
        "limit:\n      # bytes first\n      bytes: 1GiB\n      objects: 5",
        "description: |\n      # text\n\n      more",
      ],
      "    ",
    ),
    shuffled(["name: p", "priority: 3", "owner: 'x' # who"], "  "),
  )
  .chain(([rule, metadata]) =>
    shuffled(
      [
        "apiVersion: thermocline/v1",
        "kind: Policy",
        `metadata:\n  ${metadata.trimEnd()}`,
        `rules:\n  - ${rule}  - {where: held, name: b, hold: true}`,
        "vars: {z: {type: duration, default: 3d}, a: {default: 1, type: number}}",
        "limits: {bytes: 5TiB, objects: 5%}",
      ],
      "",
    ),
  );

test("sorting twice changes nothing more, loses no comment and keeps what is said", () => {
  fc.assert(
    fc.property(policies, (text) => {
      const once = sortKeys(text, schemaOf) ?? "";
      expect(sortKeys(once, schemaOf)).toBe(once);
      expect(said(once)).toEqual(said(text));
      expect(comments(once)).toEqual(comments(text));
      const keys = [...once.matchAll(/^(\w+):/gm)].map(([, key]) => key);
      expect(keys).toEqual(["apiVersion", "kind", "metadata", "vars", "rules", "limits"]);
    }),
    { numRuns: 200 },
  );
});

/** A policy with these rules. */
function rule(body: string): string {
  return `apiVersion: thermocline/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n${body}`;
}

function comments(text: string): readonly string[] {
  return [...text.matchAll(/#[^\n]*/g)].map(([comment]) => comment).toSorted();
}

function said(text: string): unknown {
  return parseAllDocuments(text).map((one): unknown => one.toJS());
}

/** Rules after sorting. */
function sorted(body: string): string {
  return sortKeys(rule(body), schemaOf)?.slice(rule("").length) ?? "";
}
