import { expect } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import type { Backend } from "#model/backend.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { explainObject } from "#policies/explain/explain-object.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { cidOf, copyOn, objectOf, openIndex, start } from "../../index/open-index.ts";

export const dayMs = 86_400_000;
export const now = new Date(start.getTime() + 40 * dayMs);

/** Hot, warm and cold, with one object on hot that was read eight times two days ago. */
export async function openReadIndex() {
  const { index } = await openIndex(["hot", "warm", "cold"], { now: () => now });
  const objects = [
    objectOf(1, [copyOn("hot")], { size: 5_000, names: ["/data/a", "/scratch/a"], tags: ["x"] }),
    objectOf(2, [copyOn("hot"), copyOn("cold")], { size: 5_000 }),
  ];
  await index.putObjects(objects, start);
  const at = new Date(now.getTime() - 2 * dayMs);
  const reads = Array.from({ length: 8 }, () => ({ object: cidOf(1), at, weight: 1 }));
  await index.recordAccesses("b1", reads);
  return index;
}

export async function compiled(
  index: ObjectIndex,
  rules: string,
  change: (backend: Backend) => Backend = (backend) => backend,
): Promise<CompiledPolicySet> {
  const text = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
classes:
  scratch: path like "/scratch/**"
rules:
${rules}`;
  const { policies, diagnostics } = parsePolicies([{ file: "p.yaml", text }], {
    registry: await loadAttributes(),
  });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const backends = (await index.backends()).map(change);
  return compilePolicies(policies, { now, backends, heat: await index.heat() }).set;
}

export async function explained(index: ObjectIndex, set: CompiledPolicySet, number: number) {
  await using session = await index.session();
  return await explainObject(set, session, await index.findObject(cidOf(number)));
}

export async function compiledAt(index: ObjectIndex, rule: string, time: Date) {
  const { rules, digests, moment } = await compiled(index, rule);
  const text = `apiVersion: thermocline/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n${rule}`;
  const { policies } = parsePolicies([{ file: "p.yaml", text }], {
    registry: await loadAttributes(),
  });
  const set = compilePolicies(policies, { ...moment, now: time }).set;
  return { ...set, digests, rules: set.rules.length === rules.length ? set.rules : [] };
}
