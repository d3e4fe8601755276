import { join } from "node:path";
import type { ObjectIndex } from "#index/object-index.ts";
import { rowsAt } from "#jobs/plan-file.ts";
import type { Plan } from "#model/plan.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { buildPlan } from "#policies/plan/build-plan.ts";

const registry = await loadAttributes();

/**
 * Rules for the simulated backends: alpha is a cache, beta hot, gamma warm, delta cold. Each
 * of the four objects has a rule of its own besides what all are promised.
 */
export const simulatedPolicies = `
apiVersion: thermocline/v1
kind: Policy
metadata: {name: simulation, owner: simulation}
rules:
  - name: safe
    where: path != "/simulation/3"
    ensure: {copies: 2, confidence: verified}
  - name: cool
    where: idle > 20s and path = "/simulation/0"
    demote: {from: tier = hot, to: tier = warm}
  - name: warm-up
    where: heat >= 1.5 and path = "/simulation/1"
    promote: {from: tier >= warm, to: tier = hot}
  - name: thin
    where: path = "/simulation/2"
    evict: {from: tier = hot}
  - name: drop
    where: path = "/simulation/3"
    delete: {grace: 30s}
`;

/** Plans over the real index as the engine does, and keeps the rows at a path. */
export async function planSimulated(
  index: ObjectIndex,
  minimumCopies: number,
  folder: string,
  number: number,
  now: Date,
): Promise<Plan> {
  const sources = [{ file: "simulation.thermocline.yaml", text: simulatedPolicies }];
  const parsed = parsePolicies(sources, { registry });
  const moment = { now, heat: await index.heat(), backends: await index.backends() };
  const { set, diagnostics } = compilePolicies(parsed.policies, moment);
  const errors = [...parsed.diagnostics, ...diagnostics].filter(
    ({ severity }) => severity === "error",
  );
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("; "));
  await using session = await index.session();
  // Awaited here: the session ends when this function returns.
  return await buildPlan(set, session, {
    engine: "simulation",
    indexVersion: await index.version(),
    minimumCopies,
    writeRows: rowsAt(join(folder, `planned-${number}.parquet`)),
  });
}
