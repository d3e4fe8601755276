import * as fc from "fast-check";
import { expect, test } from "vitest";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { demoBackends } from "../demo-backends.ts";
import { applyPerfectly } from "./apply-perfectly.ts";
import { type FixtureObject, openFixtureIndex } from "./fixture-index.ts";
import { planOf } from "./plan-of.ts";

const dayMs = 86_400_000;
const halfLifeMs = 7 * dayMs;
const landmark = new Date("2026-01-01T00:00:00Z");
const registry = await loadAttributes();

function policy(name: string, rules: string): { file: string; text: string } {
  const text = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: ${name}}
rules:
${rules}`;
  return { file: `${name}.yaml`, text };
}

function compiledAt(
  now: Date,
  sources: readonly { file: string; text: string }[],
): CompiledPolicySet {
  const { policies, diagnostics } = parsePolicies(sources, { registry });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const heat = { landmark, halfLifeMs };
  return compilePolicies(policies, { now, backends: demoBackends, heat }).set;
}

const durable = policy("durable", "  - {name: two, where: size >= 0, ensure: {copies: 2}}");
const tiering = policy(
  "tiering",
  `  - {name: up, where: heat >= 2, promote: {from: tier >= warm, to: tier = hot}}
  - {name: down, where: heat < 0.5, demote: {from: tier = hot, to: tier = cold}}`,
);
const saving = policy("saving", "  - {name: free, where: heat < 0.1, evict: {from: tier = warm}}");

test("the order of policy files changes nothing", async () => {
  const index = await openFixtureIndex();
  await index.put(
    Array.from({ length: 30 }, (_, id) => ({
      id,
      heat: (id % 5) / 2,
      copies: (id % 2 ? { 0: "verified" } : { 1: "verified", 2: "verified" }) as never,
    })),
  );
  const sources = [durable, tiering, saving];
  const orders = [sources, sources.toReversed(), [tiering, durable, saving]];
  const cids = new Set<string>();
  for (const order of orders) {
    const { plan } = await planOf(index, compiledAt(landmark, order));
    expect(plan.header.totals.actions).toBeGreaterThan(10);
    cids.add(plan.cid);
  }
  expect(cids.size).toBe(1);
});

test(
  "with a band between promote and demote no object moves back before its heat has crossed it",
  {
    timeout: 300_000,
  },
  async () => {
    const index = await openFixtureIndex();
    const reads = fc.array(fc.array(fc.integer({ min: 0, max: 11 }), { maxLength: 12 }), {
      minLength: 2,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(reads, async (schedule) => {
        let objects: readonly FixtureObject[] = schedule.map((_, id) => ({
          id,
          heat: 0,
          copies: { 1: "verified", 2: "verified" } as const,
        }));
        const lastMove = new Map<number, { verb: string; at: number }>();
        const hasty: string[] = [];
        // Two months in steps of five days; each number of the schedule is a read in that step.
        for (let step = 0; step < 12; step += 1) {
          const now = new Date(landmark.getTime() + step * 5 * dayMs);
          const grown = 2 ** ((step * 5 * dayMs) / halfLifeMs);
          objects = objects.map((object) => {
            const count = schedule[object.id]?.filter((at) => at === step).length ?? 0;
            return { ...object, heat: (object.heat ?? 0) + count * grown };
          });
          await index.put(objects);
          const { actions } = await planOf(index, compiledAt(now, [durable, tiering]));
          for (const { verb, objectId } of actions) {
            const last = lastMove.get(objectId);
            // From 2 down to 0.5 heat takes two half-lives.
            const days = (now.getTime() - (last?.at ?? 0)) / dayMs;
            if (verb === "demote" && last?.verb === "promote" && days < 14) {
              hasty.push(`object ${objectId} is demoted ${days} days after it was promoted`);
            }
            if (verb === last?.verb && days === 0) hasty.push(`object ${objectId} moves twice`);
            lastMove.set(objectId, { verb, at: now.getTime() });
          }
          objects = applyPerfectly(objects, actions);
          await index.put(objects);
          const again = await planOf(index, compiledAt(now, [durable, tiering]));
          hasty.push(...again.actions.map(({ verb, objectId }) => `${verb} ${objectId} at once`));
        }
        expect(hasty).toEqual([]);
      }),
      { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 5) },
    );
  },
);
