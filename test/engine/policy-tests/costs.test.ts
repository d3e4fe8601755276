import { expect, test } from "vitest";
import { failuresOf, policyText, runFiles, testText } from "./test-folder.ts";

const cool = `  - {name: cool, where: idle > 30d, order: [size desc], demote: {from: tier = hot, to: tier = cold}}\n`;

/** Tests of a policy on backends with prices; all of them suppose films of 10 and 20 GiB on hot. */
async function run(policy: string, tests: string) {
  return await runFiles({
    "p.thermocline.yaml": policyText(cool, policy),
    "t.thermocline-test.yaml": testText(
      tests,
      `objects:
  - {name: short, size: 10GiB, idle: 40d, copies: [hot]}
  - {name: long, size: 20GiB, idle: 40d, copies: [hot]}
`,
    )
      .replace("region: eu-1}", "region: eu-1, price: {perGiBMonth: 0.023, egressPerGiB: 0.09}}")
      .replace("capacity: 100GiB}", "price: {perGiBMonth: 0.004, minimumDuration: 90d}}"),
  });
}

test("what the actions of a test cost is compared at the places that are written", async () => {
  const report = await run(
    "",
    `  - name: both
    given: [short, long]
    expect: [{object: [short, long], action: demote}]
    cost: {now: 2.70 USD, month: -0.57 USD}
  - name: rounded
    given: [short]
    expect: [{object: short, action: demote}]
    cost: {now: 1 USD, month: -0.2 USD}
  - name: wrong
    given: [short]
    expect: [{object: short, action: demote}]
    cost: {now: 0.80 USD, month: 0.19 USD}
  - name: dearer to read
    backends: {hot: {price: {egressPerGiB: 1}}}
    given: [short]
    expect: [{object: short, action: demote}]
    cost: {now: 10 USD, month: 0.04 USD}
`,
  );
  expect(report.diagnostics).toEqual([]);
  expect(failuresOf(report)).toEqual({
    wrong: [
      "cost: 0.9 USD to pay once, where 0.8 USD is expected",
      "cost: -0.19 USD a month, where 0.19 USD is expected",
    ],
  });
  const [failure] = report.cases.find(({ name }) => name === "wrong")?.failures ?? [];
  expect(failure).toMatchObject({ kind: "cost", object: "", why: [] });
});

test("limits, budgets and the horizon of a policy hold in each test by itself", async () => {
  const tests = `  - name: one fits
    expect: [{object: long, action: demote}, {object: short, blocked: budget}]
    cost: {now: 1.80 USD}
  - name: and it does the next time
    expect: [{object: long, action: demote}, {object: short, action: none}]
`;
  expect(failuresOf(await run("limits: {cost: 2 USD/month}\n", tests))).toEqual({});
  const refused = `  - name: nothing pays
    expect: [{object: [long, short], blocked: break-even}]
    cost: {now: 0 USD}
`;
  expect(failuresOf(await run("horizon: 30d\n", refused))).toEqual({});
});

test("amounts that are none are errors at their place", async () => {
  const report = await run(
    "",
    `  - name: euros
    expect: nothing
    cost: {now: 1 EUR}
`,
  );
  expect(report.diagnostics.map(({ message }) => message)).toEqual([
    '"1 EUR" is not in USD, as all prices are',
  ]);
});
