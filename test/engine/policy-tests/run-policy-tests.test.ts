import { expect, test } from "vitest";
import { failuresOf, policyText, runFiles, runTests, testText } from "./test-folder.ts";

const cool = `  - {name: cool, where: idle > 30d, demote: {from: tier = hot, to: tier = cold}}\n`;

test("a missing action fails, and the reason says which clause is false and what would turn it", async () => {
  const report = await runTests(
    cool,
    `  - name: cools
    given: [{name: film, idle: 12d, copies: [hot]}]
    expect: [{object: film, action: demote, from: hot, to: cold, rule: cool}]
`,
  );
  expect(failuresOf(report)).toEqual({
    cools: ["missing: demote film from hot to cold by cool"],
  });
  const [failure] = report.cases[0]?.failures ?? [];
  expect(failure?.range.start).toEqual({ line: 12, column: 14 });
  expect(failure?.why).toEqual([
    "the plan: nothing: no rule matches",
    "p/cool (p.thermocline.yaml:5:5): does not match",
    "  ✗ idle > 30d  (now 12d; needs > 30d: in 18d if untouched)",
  ]);
});

test("an unexpected action fails, and so does a right one by the wrong rule", async () => {
  const report = await runTests(
    `${cool}  - {name: two, where: 'path like "/keep/**"', ensure: {copies: 2}}\n`,
    `  - name: nothing happens
    given: [{name: film, idle: 45d, copies: [hot]}]
    expect: nothing
  - name: another rule does it
    given: [{name: film, idle: 45d, copies: [hot]}]
    expect: [{object: film, action: demote, rule: p/two}]
`,
  );
  expect(failuresOf(report)).toEqual({
    "nothing happens": ["unexpected: demote film from hot to cold by p/cool"],
    "another rule does it": [
      "missing: demote film by p/two",
      "unexpected: demote film from hot to cold by p/cool",
    ],
  });
});

test("everything a test can suppose is what the language reads", async () => {
  const seen = [
    'cid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"',
    "size = 3KiB and age = 90d and modified = 5d",
    'path like "/b/*" and type = "video/mp4" and owner = "ana" and collection = "films"',
    'tags has "x" and not (tags has "y")',
    "idle = 2d and accesses(5d) = 3 and accesses(20d) = 5",
    "held and moved = now - 4d",
    "copies(tier = hot, confidence >= verified) = 0 and copies(tier = hot) = 1",
    "copies(tier = warm) = 0",
  ];
  const rules = seen.map((where, at) => `  - {name: r${at}, where: '${where}', hold: true}\n`);
  const report = await runTests(
    rules.join("").replaceAll("modified = 5d", "modified <= now - 5d"),
    `  - name: all
    given:
      - name: o
        cid: bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy
        size: 3KiB
        age: 90d
        modified: 5d
        path: [/a/1, /b/1]
        type: video/mp4
        owner: ana
        collection: films
        tags: x
        reads: [{ago: 2d, count: 3}, {ago: 12d, count: 2}]
        held: true
        moved: 4d
        copies: [{on: hot, confidence: listed, age: 3d}, {on: warm, state: lost}]
    selects: {${seen.map((_, at) => `r${at}: o`).join(", ")}}
    expect: nothing
  - name: heat is as it is said, whatever the reads are
    given: [{name: o, heat: 4.5, idle: 90d, copies: [hot]}]
    selects: {r5: []}
    expect: nothing
`,
  );
  expect([failuresOf(report), report.diagnostics]).toEqual([{}, []]);
});

test("a heat that is supposed is the heat at the clock of its test", async () => {
  const report = await runTests(
    "  - {name: hot, where: heat between 4.49 and 4.51, hold: true}\n",
    ["2026-01-01", "2024-05-01", "2031-01-01"]
      .map(
        (now) => `  - name: at ${now}
    now: ${now}
    given: [{name: o, heat: 4.5, idle: 90d, copies: [hot]}]
    selects: {hot: o}
    expect: nothing
`,
      )
      .join(""),
  );
  expect([report.cases.length, failuresOf(report), report.diagnostics]).toEqual([3, {}, []]);
});

test("what blocks a rule can be expected: a hold, too few copies, a cordon, the limit of the rule", async () => {
  const report = await runTests(
    `  - {name: cool, where: idle > 30d, order: size asc, limit: {objects: 1}, demote: {from: tier = hot, to: tier = cold}}
  - {name: drop, where: 'tags has "drop"', evict: {from: tier = hot}}
`,
    `  - name: held
    given: [{name: film, idle: 45d, held: true, copies: [hot]}]
    expect: [{object: film, blocked: held, rule: cool}]
  - name: the last copy
    given: [{name: film, tags: drop, copies: [hot]}]
    expect: [{object: film, blocked: minimum-copies}]
  - name: a cordon
    backends: {cold: {cordoned: true}}
    given: [{name: film, idle: 45d, copies: [hot]}]
    expect: [{object: film, blocked: cordon, rule: p/cool}]
  - name: a full backend
    backends: {cold: {used: 99%}}
    given: [{name: film, size: 10GiB, idle: 45d, copies: [hot]}]
    expect: [{object: film, blocked: capacity}]
  - name: the limit
    given: [{name: a, size: 1KiB, idle: 45d, copies: [hot]}, {name: b, idle: 45d, copies: [hot]}]
    expect:
      - {object: a, action: demote, from: hot, to: cold}
      - {object: b, blocked: limit, rule: cool}
  - name: wrong
    given: [{name: film, idle: 45d, copies: [hot]}]
    expect: [{object: film, blocked: held}, {object: film, action: demote}]
`,
  );
  expect(report.diagnostics).toEqual([]);
  expect(failuresOf(report)).toEqual({
    wrong: ["missing: film blocked because the object is held; nothing is blocked"],
  });
});

test("deletion is told in its steps: the mark, the grace, the removal", async () => {
  const report = await runTests(
    `  - {name: drop, where: 'tags has "tmp"', delete: {grace: 7d}}\n`,
    `  - name: marked
    given: [{name: o, tags: tmp, copies: [hot, cold]}]
    expect: [{object: o, action: tombstone, rule: drop}]
  - name: waiting
    given: [{name: o, tags: tmp, deleting: 3d, copies: [hot, cold]}]
    expect: [{object: o, blocked: grace}]
  - name: removed
    given: [{name: o, tags: tmp, deleting: 8d, copies: [hot, cold]}]
    expect: [{object: o, action: delete, from: hot}, {object: o, action: delete, from: cold}]
`,
  );
  expect([failuresOf(report), report.diagnostics]).toEqual([{}, []]);
});

test("variables, clocks and backends differ from test to test", async () => {
  const report = await runFiles({
    "p.thermocline.yaml": policyText(
      "  - {name: cool, where: idle > $limit, demote: {from: tier = hot, to: tier >= cold}}\n",
      "vars: {limit: {type: duration, default: 30d}}\n",
    ),
    "t.thermocline-test.yaml": testText(
      `  - name: by default
    expect: [{object: film, action: demote, to: cold}]
  - name: with a wider limit
    vars: {limit: 60d}
    expect: nothing
  - name: with an archive instead
    backends: {cold: {cordoned: true}, warm: {tier: archive}}
    expect: [{object: film, action: demote, from: hot, to: warm}]
`,
      "objects: [{name: film, idle: 45d, copies: [hot]}]\n",
    ),
  });
  expect([failuresOf(report), report.diagnostics]).toEqual([{}, []]);
});

test("rank among all objects is that among the objects of the test", async () => {
  const cases = [1, 2, 3].map(
    (number) => `  - name: case ${number}
    given: [{name: a, heat: ${number}, copies: [hot]}, {name: b, heat: 9, copies: [hot]}]
    selects: {top: b}
    expect: nothing
`,
  );
  const report = await runTests(
    "  - {name: top, where: heat_rank <= 1, hold: true}\n",
    cases.join(""),
  );
  expect([report.cases.length, failuresOf(report)]).toEqual([3, {}]);
});

test("the newest of a collection are told apart by every form of comparison", async () => {
  const forms = ["> 2", ">= 3", "+ 0 > 2", "between 3 and 9", ">= 2.5"];
  const rules = forms.map(
    (form, at) => `  - {name: old-${at}, where: version_rank ${form}, hold: true}\n`,
  );
  const given = [
    aged("a1", "1d", "collection: a"),
    aged("a2", "2d", "collection: a"),
    "{name: gone, age: 2d, collection: a, copies: []}",
    aged("a3", "3d", "collection: a"),
    aged("a4", "4d", "collection: a"),
    aged("b4", "4d", "collection: b"),
    aged("alone", "9d", "owner: ana"),
  ];
  const selects = forms.map((_, at) => `old-${at}: [a3, a4]`);
  const report = await runTests(
    rules.join(""),
    `  - name: versions
    given: [${given.join(", ")}]
    selects: {${selects.join(", ")}}
    expect: nothing
`,
  );
  expect([report.diagnostics, failuresOf(report)]).toEqual([[], {}]);
});

test("clauses that no test has seen true, or false, are named with their rule", async () => {
  const report = await runTests(
    `  - {name: a, where: idle > 30d and (size > 1GiB or missing(owner)), hold: true}
  - {name: b, where: true, evict: {from: tier = hot}}
`,
    `  - name: one
    given: [{name: film, idle: 45d, copies: [hot, cold]}, {name: small, size: 1KiB, idle: 1d, copies: [cold]}]
    expect: [{object: film, blocked: held}]
`,
  );
  const { outcomes, seen, rules } = report.coverage;
  expect([outcomes, seen]).toEqual([6, 4]);
  expect(rules[0]?.clauses).toEqual([
    { text: "idle > 30d", seenTrue: true, seenFalse: true },
    { text: "size > 1GiB", seenTrue: false, seenFalse: true },
    { text: "missing(owner)", seenTrue: true, seenFalse: false },
  ]);
  expect(rules[1]).toEqual({ rule: "p/b", place: "p.thermocline.yaml:6:5", clauses: [] });
});

function aged(name: string, age: string, more: string): string {
  return `{name: ${name}, age: ${age}, copies: [hot], ${more}}`;
}

function copiesLeased(ago: string, by = "p/cached"): string {
  return `copies: [warm, {on: hot, leased: {by: ${by}, ago: ${ago}}}]`;
}

test("a copy on lease stays for its time, and is given up afterwards", async () => {
  const report = await runTests(
    "  - {name: cached, where: heat >= 2, ensure: {copies: 1, on: tier = hot, for: 24h}}\n",
    `  - name: is made
    given: [{name: a, heat: 3, copies: [warm]}]
    expect: [{object: a, action: replicate, to: hot}]
  - name: stays
    given: [{name: a, ${copiesLeased("23h")}}]
    expect: nothing
  - name: goes
    given: [{name: a, heat: 3, ${copiesLeased("24h")}}]
    expect: [{object: a, action: evict, from: hot, rule: cached}]
  - name: is not made again
    given: [{name: a, heat: 3, copies: [warm, {on: hot, state: lost, leased: {by: p/cached, ago: 2d}}]}]
    expect: nothing
  - name: is read
    given: [{name: a, idle: 5h, ${copiesLeased("2d")}}]
    expect: nothing
`,
  );
  expect([report.cases.length, failuresOf(report)]).toEqual([5, {}]);
  const rule = "  - {name: cached, where: heat >= 2, ensure: {copies: 1, for: 24h}}\n";
  const unknown = await runTests(
    rule,
    `  - {name: x, given: [{name: a, ${copiesLeased("2d", "p/cashed")}}], expect: nothing}\n`,
  );
  expect(unknown.diagnostics[0]?.hint).toContain("p/cached");
});
