import { beforeAll, expect, test } from "vitest";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import type { Moment } from "#policies/compiled-policy.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { demoMoment, testBackend } from "./demo-backends.ts";

let registry: AttributeRegistry;
beforeAll(async () => {
  registry = await loadAttributes();
});

const moment: Moment = {
  ...demoMoment,
  backends: [
    testBackend({ id: 0, name: "hot", tier: "hot" }),
    testBackend({ id: 1, name: "deals", tier: "archive", driver: "filecoin" }),
    testBackend({ id: 2, name: "more-deals", tier: "archive", driver: "filecoin" }),
    testBackend({ id: 3, name: "web3", tier: "cold", driver: "storacha" }),
  ],
};

function compile(verb: string) {
  const text = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
rules:
  - name: r
    where: held
    ${verb}
`;
  const parsed = parsePolicies([{ file: "p.yaml", text }], { registry });
  expect(parsed.diagnostics).toEqual([]);
  const { set, diagnostics } = compilePolicies(parsed.policies, moment);
  return { verb: set.rules[0]?.verb, codes: diagnostics.map(({ code }) => code) };
}

const dayMs = 86_400_000;

test("deal: is short for ensure on backends that make deals", () => {
  const short = compile("deal: {copies: 2, duration: 540d, renewBefore: 45d}");
  const long = compile(
    `ensure: {copies: 2, on: 'driver = "filecoin"', deal: {product: porep, duration: 540d, renewBefore: 45d}}`,
  );
  expect(short).toEqual(long);
  expect(short.codes).toEqual([]);
  expect(short.verb).toMatchObject({
    kind: "ensure",
    copies: { min: 2 },
    on: 0b110n,
    deal: { product: "porep", durationMs: 540 * dayMs, renewBeforeMs: 45 * dayMs },
  });
});

test("what has no end is funded ahead, and terms that are left out have their standard", () => {
  const said = compile("deal: {product: pdp, runway: 60d, topUpBefore: 14d}").verb;
  expect(said).toMatchObject({
    copies: { min: 1 },
    deal: { product: "pdp", runwayMs: 60 * dayMs, topUpBeforeMs: 14 * dayMs },
  });
  const unsaid = compile("deal: {}").verb;
  expect(unsaid).toMatchObject({
    deal: { product: "pdp", runwayMs: 90 * dayMs, topUpBeforeMs: 30 * dayMs },
  });
  const short = compile("deal: {runway: 21d}").verb;
  expect(short).toMatchObject({ deal: { runwayMs: 21 * dayMs, topUpBeforeMs: 7 * dayMs } });
  const sealed = compile("deal: {duration: 540d}").verb;
  expect(sealed).toMatchObject({ deal: { product: "porep", renewBeforeMs: 30 * dayMs } });
});

test("price, providers and countries bound who stores", () => {
  const { verb } = compile(
    "deal: {maxPrice: 0.10 USD/GiB/month, providers: {include: [f01234], exclude: ['17']}, country: DE}",
  );
  const deal = verb?.kind === "ensure" ? verb.deal : undefined;
  expect(deal).toMatchObject({
    providers: { include: ["f01234"], exclude: ["17"] },
    country: ["DE"],
  });
  // A month of prices has 30 days.
  expect((deal?.maxPrice ?? 0) * 2 ** 30 * 30 * dayMs).toBeCloseTo(0.1, 12);
});

test("terms of deals for other kinds of storage are an error", () => {
  const { codes } = compile("archive: {copies: 1, on: tier >= cold, deal: {duration: 540d}}");
  expect(codes).toContain("E0309");
});

test("a service that takes nothing new is warned of where copies would be made", () => {
  expect(compile('ensure: {copies: 1, on: driver = "storacha"}').codes).toEqual(["W0421"]);
  expect(compile('promote: {from: tier = archive, to: driver = "storacha"}').codes).toEqual([
    "W0421",
  ]);
});

test("every object is a DAG: group: dag changes nothing of what a rule does", () => {
  const { verb, codes } = compile("group: dag\n    ensure: {copies: 1, on: tier = hot}");
  expect([verb, codes]).toEqual([compile("ensure: {copies: 1, on: tier = hot}").verb, []]);
});
