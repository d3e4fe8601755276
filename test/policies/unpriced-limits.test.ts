import { expect, test } from "vitest";
import { freeOfCharge } from "#model/backend.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { demoMoment } from "./demo-backends.ts";

const rules =
  "rules:\n  - {name: r, where: idle > 3d, demote: {from: tier = hot, to: tier = cold}}\n";

/** What is said of a policy with these limits, where some tier has a price. */
async function findings(limits: string, pricedTier?: string): Promise<readonly string[]> {
  const head = `apiVersion: thermocline/v1\nkind: Policy\nmetadata: {name: p}\n${limits}\n`;
  const registry = await loadAttributes();
  const parsed = parsePolicies([{ file: "p.yaml", text: head + rules }], { registry });
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

const touched = demoMoment.backends
  .filter(({ tier }) => tier === "hot" || tier === "cold")
  .map(({ name }) => name)
  .toSorted();

test.for(["50 USD", "50 USD/month"])(
  "a limit of %s is pointed out where nothing that the policy touches has a price",
  async (cost) => {
    const said = [
      `4:16 W0423 limits.cost of policy "p" bounds nothing: no backend that its rules touch has a ` +
        `price (${touched.join(", ")}) (give them a price: in thermocline.yaml, or remove limits.cost)`,
    ];
    expect(await findings(`limits: {cost: ${cost}}`)).toEqual(said);
    // What other backends charge is not for this policy to pay.
    expect(await findings(`limits: {cost: ${cost}}`, "archive")).toEqual(said);
  },
);

test("a limit is sound where one of them has a price, and other limits need none", async () => {
  expect(await findings("limits: {cost: 50 USD}", "cold")).toEqual([]);
  expect(await findings("limits: {objects: 10}")).toEqual([]);
});
