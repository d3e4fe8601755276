import { join } from "node:path";
import { rowsAt } from "#jobs/plan-file.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { PlanAction } from "#model/plan.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { buildPlan } from "#policies/plan/build-plan.ts";
import { toPlanAction } from "#policies/plan/plan-rows.ts";
import { stepOf } from "./make-plan.ts";
import { context, copied, evidenceOf, gone } from "./run-steps.ts";

const registry = await loadAttributes();
let plans = 0;

/** Evaluates a policy and does all that it plans, at once and without fault. */
export async function planAndDo(
  index: ObjectIndex,
  folder: string,
  text: string,
  now: Date,
): Promise<readonly PlanAction[]> {
  const { policies, diagnostics } = parsePolicies([{ file: "p.yaml", text }], { registry });
  const moment = { now, heat: await index.heat(), backends: await index.backends() };
  const compiled = compilePolicies(policies, moment);
  const found = [...diagnostics, ...compiled.diagnostics];
  if (found.length > 0) throw new Error(found.map(({ message }) => message).join("; "));
  const actions: PlanAction[] = [];
  plans += 1;
  const write = rowsAt(join(folder, `moves-${plans}.parquet`));
  await using session = await index.session();
  const plan = await buildPlan(compiled.set, session, {
    engine: "test",
    indexVersion: await index.version(),
    async writeRows(reading, rows) {
      actions.push(...(await reading.rows(rows)).map(toPlanAction));
      return await write(reading, rows);
    },
  });
  if (actions.length === 0) return actions;
  const run = await index.beginRun(plan, now);
  const lanes = moment.backends.map(({ name }) => name);
  for (const lane of lanes) {
    for (const batch of await index.pendingBatches(run.id, lane, 100)) {
      await index.markQueued(run.id, [batch.number]);
      const step = stepOf(batch);
      const own = actions.slice(batch.from, batch.to);
      const { target } = batch;
      const at = { checkedAt: now.toISOString() };
      const copies = own.flatMap(({ sequence, objectId }) =>
        target === null
          ? []
          : [copied(sequence, objectId, target, { ...evidenceOf(objectId, target), ...at })],
      );
      const { permits } = await index.commitCopies(step, copies, context({ now }));
      const removed = permits.map(({ sequence, id }) => gone(sequence, id));
      await index.commitRemovals(step, removed, now);
    }
  }
  await index.finishRuns(now);
  return actions;
}
