import { expect, test } from "vitest";
import { failuresOf, policyText, runFiles, testText } from "./test-folder.ts";

const rules = `  - {name: keep, where: 'tags has "gold"', hold: true}
  - {name: two, where: heat >= 1, ensure: {copies: 2, per: region}}
  - {name: cool, where: idle > 30d and heat < 0.5, demote: {from: tier = hot, to: tier >= warm}}
  - {name: drop, where: 'path like "/tmp/**"', delete: {grace: 7d}}
`;

/** Objects of every kind, and of several at once in one case. */
const given: readonly string[] = ["", "tags: gold, "].flatMap((tags) =>
  ["heat: 0.1, idle: 40d", "heat: 2, idle: 1d", "path: /tmp/a, idle: 12d"].flatMap((use) =>
    ["[hot]", "[{on: hot, confidence: listed}, warm]"].map(
      (copies) => `{name: o, ${tags}${use}, size: 5MiB, copies: ${copies}}`,
    ),
  ),
);

const cases = given.map(
  (object, at) => `  - name: case ${at}
    given: [${object}, ${object.replace("name: o", "name: p").replace("size: 5", "size: 7")}]
    expect: nothing
`,
);

test("cases that share a plan come out as they do one by one", async () => {
  const policy = { "p.thermocline.yaml": policyText(rules) };
  const together = await runFiles({
    ...policy,
    "t.thermocline-test.yaml": testText(cases.join("")),
  });
  const apart = await runFiles({
    ...policy,
    ...Object.fromEntries(cases.map((one, at) => [`t${at}.thermocline-test.yaml`, testText(one)])),
  });
  const seen = failuresOf(together);
  expect(together.cases.map(({ name }) => name)).toEqual(cases.map((_, at) => `case ${at}`));
  expect(Object.keys(seen).length).toBeGreaterThan(5);
  expect(failuresOf(apart)).toEqual(seen);
  expect(apart.coverage).toEqual(together.coverage);
});

test("a case whose objects use up a limit or a backend does not do so for others", async () => {
  const report = await runFiles({
    "p.thermocline.yaml": policyText(
      "  - {name: cool, where: idle > 30d, order: name, demote: {from: tier = hot, to: tier = cold}}\n",
    ),
    "t.thermocline-test.yaml": testText(
      big("two", 2) + big("three", 3) + big("four", 4) + big("again", 4),
    ),
  });
  expect([failuresOf(report), report.diagnostics]).toEqual([{}, []]);
});

/** A case of which the first three objects fill the cold backend. */
function big(name: string, objects: number): string {
  const list = Array.from(
    { length: objects },
    (_, at) => `{name: o${at}, size: 30GiB, idle: 45d, copies: [hot]}`,
  );
  const actions = list
    .slice(0, 3)
    .map((_, at) => `{object: o${at}, action: demote, from: hot, to: cold}`);
  const blocked = list.slice(3).map((_, at) => `{object: o${at + 3}, blocked: capacity}`);
  return `  - {name: ${name}, given: [${list.join()}], expect: [${[...actions, ...blocked].join()}]}\n`;
}
