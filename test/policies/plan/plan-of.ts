import type { Plan, PlanAction } from "#model/plan.ts";
import { rowsDiscarded } from "#jobs/plan-file.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { buildPlan, type PlanOptions, type RowsWriter } from "#policies/plan/build-plan.ts";
import { toPlanAction } from "#policies/plan/plan-rows.ts";
import type { FixtureIndex } from "./fixture-index.ts";

/** Plans over a fixture and reads all actions back. */
export async function planOf(
  index: Pick<FixtureIndex, "session">,
  set: CompiledPolicySet,
  options: Partial<PlanOptions> = {},
): Promise<{ plan: Plan; actions: readonly PlanAction[] }> {
  await using session = await index.session();
  const actions: PlanAction[] = [];
  const writeRows: RowsWriter = async (session, rows) => {
    actions.push(...(await session.rows(rows)).map(toPlanAction));
    return await (options.writeRows ?? rowsDiscarded())(session, rows);
  };
  const plan = await buildPlan(set, session, {
    engine: "0.0.0",
    indexVersion: 1,
    ...options,
    writeRows,
  });
  return { plan, actions };
}

/** The actions in short: `verb object source>target-victim`. */
export function briefly(actions: readonly PlanAction[]): readonly string[] {
  return actions.map(({ verb, objectId, source, target, victim }) => {
    const copy = target === null ? "" : ` ${source}>${target}`;
    return `${verb} ${objectId}${copy}${victim === null ? "" : ` -${victim}`}`;
  });
}
