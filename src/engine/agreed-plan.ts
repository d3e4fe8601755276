import { readTime } from "#engine/read-time.ts";
import { readPlan } from "#jobs/plan-file.ts";
import type { ApplyRequest, PlanRequest } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Plan } from "#model/plan.ts";
import type { PlanScope } from "#policies/plan/narrow-draft.ts";

/** How long a plan that was shown may wait for the "yes" before it has to be made again. */
const agreedForMs = 60 * 60 * 1_000;

/** What a person agreed to, and how it is made again. */
export interface AgreedPlan {
  readonly cid: string | undefined;
  /** The plan is made again as it was agreed to: for the same moment, within the same limits. */
  readonly request: PlanRequest;
  /** Only what stands in the saved plan, though other actions of it may have gone. */
  readonly scope: PlanScope | undefined;
  readonly matches: ((plan: Plan) => boolean) | undefined;
}

/** Reads from a request to apply what was agreed to. Throws USAGE, STALE_PLAN. */
export async function agreedPlan(request: ApplyRequest, now: Date): Promise<AgreedPlan> {
  const { planFile, expectCid, at, limits, only, variables, allowSubset } = request;
  if (planFile !== undefined) return savedPlan(await readPlan(planFile), allowSubset === true);
  if (allowSubset === true) {
    throw new EngineError("USAGE", "a subset can be carried out only of a saved plan", {
      hint: "save one with `thermocline plan --out NAME`, and apply it with --plan",
    });
  }
  if (at !== undefined && now.getTime() - readTime(at).getTime() > agreedForMs) {
    throw new EngineError("STALE_PLAN", `the plan was made at ${at}, over an hour ago`, {
      hint: "plan again",
    });
  }
  return {
    cid: expectCid,
    request: {
      ...(at === undefined ? {} : { at }),
      ...(limits === undefined ? {} : { limits }),
      ...(only === undefined ? {} : { only }),
      ...(variables === undefined ? {} : { variables }),
    },
    scope: undefined,
    matches: expectCid === undefined ? undefined : (plan) => plan.cid === expectCid,
  };
}

/** A saved plan runs if planning gives its very rows again; a subset if some of them are left. */
export function savedPlan(saved: Plan, allowSubset: boolean): AgreedPlan {
  const { limits, only, variables, snapshot } = saved.header;
  return {
    cid: saved.cid,
    request: {
      // What was planned on a snapshot was planned for another time: it must be what is due now.
      ...(snapshot === undefined ? { at: saved.evaluatedAt } : {}),
      ...(limits === undefined ? {} : { limits }),
      ...(only === undefined ? {} : { only }),
      ...(variables === undefined ? {} : { variables }),
    },
    scope: allowSubset ? { savedRows: saved.rowsPath } : undefined,
    matches: allowSubset
      ? ({ header }) => header.totals.actions > 0 || saved.header.totals.actions === 0
      : ({ header }) =>
          header.rows === saved.header.rows && header.inventory === saved.header.inventory,
  };
}

/** The answer to a plan that no longer is what would be done. */
export function stalePlan(agreed: AgreedPlan, plan: Plan): EngineError {
  const details = { agreed: agreed.cid, now: plan.cid };
  if (agreed.scope !== undefined) {
    const message = `no action of the plan ${agreed.cid} is wanted and possible any more`;
    return new EngineError("STALE_PLAN", message, { hint: "plan again", details });
  }
  return new EngineError(
    "STALE_PLAN",
    `the plan ${agreed.cid} is no longer what would be done; planning now gives ${plan.cid}`,
    {
      hint:
        "objects, policies or backends changed since: look at the new plan and apply that; for a " +
        "saved plan, `thermocline plan --out NEW` and `thermocline diff SAVED.plan.json " +
        "NEW.plan.json` say what changed, and --allow-subset carries out what of it still fits",
      details,
    },
  );
}
