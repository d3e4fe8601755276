import { expect, test } from "vitest";
import { freeOfCharge } from "#model/backend.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { demoMoment } from "./demo-backends.ts";

const rulesWith = (verb: string) => `rules:\n  - {name: r, where: idle > 3d, ${verb}}\n`;
const demote = "demote: {from: tier = hot, to: tier = cold}";

/** What is said of a policy with these limits, where some tier has a price. */
async function findings(
  limits: string,
  pricedTier?: string,
  verb = demote,
): Promise<readonly string[]> {
  const head = `apiVersion: thermocline/v1\nkind: Policy\nmetadata: {name: p}\n${limits}\n`;
  const registry = await loadAttributes();
  const parsed = parsePolicies([{ file: "p.yaml", text: head + rulesWith(verb) }], { registry });
  expect(parsed.diagnostics).toEqual([]);
  const backends = demoMoment.backends.map((backend) => ({
    ...backend,
    price: { ...freeOfCharge, perGibMonth: backend.tier === pricedTier ? 0.02 : 0 },
  }));
  const { diagnostics } = compilePolicies(parsed.policies, { ...demoMoment, backends });
  return diagnostics.map(
    ({ code, message, hint, range: { start } }) =>
      `${start.line}:${start.column} ${code} ${message} (${hint})`,
  );
}

const names = (tiers?: readonly string[]) =>
  demoMoment.backends
    .filter(({ tier }) => tiers?.includes(tier) ?? true)
    .map(({ name }) => name)
    .toSorted()
    .join(", ");

test.for(["50 USD", "50 USD/month"])(
  "a limit of %s is pointed out where nothing has a price",
  async (cost) => {
    const said = [
      `4:16 W0423 limits.cost of policy "p" bounds nothing: no backend that its rules may use has a ` +
        `price (${names()}) (give them a price: in thermocline.yaml, or remove limits.cost)`,
    ];
    expect(await findings(`limits: {cost: ${cost}}`)).toEqual(said);
  },
);

test("what is given up without a copy is charged for where it is", async () => {
  const verb = "evict: {from: tier = hot}";
  expect(await findings("limits: {cost: 50 USD}", "cold", verb)).toEqual([
    expect.stringContaining(`price (${names(["hot"])})`),
  ]);
  expect(await findings("limits: {cost: 50 USD}", "hot", verb)).toEqual([]);
});

test("a limit is sound where one of them has a price, and other limits need none", async () => {
  // What is demoted may be read anywhere.
  expect(await findings("limits: {cost: 50 USD}", "warm")).toEqual([]);
  expect(await findings("limits: {cost: 50 USD}", "cold")).toEqual([]);
  expect(await findings("limits: {objects: 10}")).toEqual([]);
});
