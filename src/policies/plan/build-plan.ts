import { createHash } from "node:crypto";
import { type Backend, hasPrice } from "#model/backend.ts";
import type { PlanLimits } from "#model/plan-limits.ts";
import type { Plan, PlanHeader } from "#model/plan.ts";
import type { ReadSession, SqlStatement } from "#model/sql.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { canonicalJson } from "#policies/plan/canonical-json.ts";
import { checkGuards, type GuardLimits } from "#policies/plan/check-guards.ts";
import { beginGroups, groupRules, keepWholeGroups } from "#policies/plan/group.ts";
import { leaseRules } from "#policies/plan/lease.ts";
import { type AskedLimits, limitDraft } from "#policies/plan/limit-draft.ts";
import { planBudgets } from "#policies/plan/plan-budgets.ts";
import { limitsOfScope, narrowDraft, type PlanScope } from "#policies/plan/narrow-draft.ts";
import { keepNewCopies } from "#policies/plan/restoration.ts";
import { rulesOf } from "#policies/plan/match-words.ts";
import { blockedCounts } from "#policies/plan/blocked-wishes.ts";
import { neededApprovals } from "#policies/plan/needed-approvals.ts";
import { beginDraft } from "#policies/plan/draft.ts";
import { gatherRows, rowsStatement } from "#policies/plan/final-rows.ts";
import { pairActions } from "#policies/plan/pair-actions.ts";
import { planCid } from "#policies/plan/plan-cid.ts";
import { planDeletions } from "#policies/plan/plan-deletions.ts";
import { planEnsures } from "#policies/plan/plan-ensures.ts";
import { Planning } from "#policies/plan/planning.ts";
import { planPromotions } from "#policies/plan/plan-promotions.ts";
import { planEndedLeases, planKeptRemovals, planRemovals } from "#policies/plan/plan-removals.ts";
import { planRuns } from "#policies/plan/plan-runs.ts";
import { planSurplus } from "#policies/plan/plan-surplus.ts";
import { type ObjectChoice, scanCandidates } from "#policies/plan/scan-candidates.ts";
import { planCost, planTotals } from "#policies/plan/summarise-plan.ts";
import { summariseRows } from "#policies/plan/summarise-rows.ts";

/** What a plan rests on besides policies and index; shares are 0 to 1. */
export interface PlanOptions extends Partial<GuardLimits> {
  /** Version of this engine. */
  readonly engine: string;
  /** Commit counter of the index that the session reads. */
  readonly indexVersion: number;
  /** CID of the snapshot that the session reads, when it is one. */
  readonly snapshot?: string;
  /** Fewest verified copies any object keeps; at least 1. */
  readonly minimumCopies?: number;
  /** Of all that the policies want, only this part (schedules and triggers). */
  readonly scope?: PlanScope;
  /** The most that all policies together do; each policy may have limits of its own. */
  readonly limits?: PlanLimits;
  /** Only these objects are looked at, and what was asked for, in words. */
  readonly only?: { readonly objects: ObjectChoice; readonly words: string };
  /** What the set was compiled with; the plan says so. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Only add copies, and only of these objects (repairs). */
  readonly restore?: readonly number[];
  /** From so many objects on, planning is careful of memory and of time; the plan is the same. */
  readonly manyFrom?: number;
  /** Keeps the rows as Parquet, or only hashes them: policies do no file work themselves. */
  readonly writeRows: RowsWriter;
}

/** Runs the statement into a Parquet file and answers its identity and place. */
export type RowsWriter = (
  session: ReadSession,
  rows: SqlStatement,
) => Promise<{ readonly cid: string; readonly path: string }>;

const defaultLimits: GuardLimits = {
  objectsShareMax: 0.1,
  deletesShareMax: 0.05,
  headRoomShare: 0.05,
};

/**
 * Evaluates a policy set over one reading of the index. Same policies, same index, same
 * inventory and same moment give the same bytes and the same CID. The decided rows stay in the
 * session (`planRows` reads them) until its next plan.
 */
export async function buildPlan(
  set: CompiledPolicySet,
  session: ReadSession,
  options: PlanOptions,
): Promise<Plan> {
  const limits = { ...defaultLimits, ...definedOf(options) };
  const planning = new Planning(set, session, {
    minimumCopies: options.minimumCopies ?? 1,
    headRoomShare: limits.headRoomShare,
    manyFrom: options.manyFrom,
  });
  const { restore, only, scope, limits: asked, variables } = options;
  const objects = restore ?? only?.objects;
  const newCopiesOnly = restore !== undefined;
  await decideActions(planning, { objects, scope, newCopiesOnly, limits: asked });
  // Who restores copies asks afterwards how its objects stand.
  if (!newCopiesOnly) await planning.release("plan_mask");
  const rows = await options.writeRows(session, rowsStatement(set, planning.actsOnMany));
  const summary = await summariseRows(planning);
  // What was lost is restored without asking anybody.
  const budgets = newCopiesOnly ? [] : planBudgets(planning, askedLimits(asked, scope));
  const approvals = newCopiesOnly ? [] : await neededApprovals(planning);
  const groups = groupRules(set.rules).map((index) => set.rules[index]?.id ?? "");
  const leases = leaseRules(set.rules).map(({ rule, forMs }) => [rule.id, forMs] as const);
  const orders = rulesOf(set.rules, "run").map(({ rule, verb }) => [rule.id, verb.order] as const);
  const header: PlanHeader = {
    schemaVersion: 1,
    engine: options.engine,
    policies: set.digests,
    indexVersion: options.indexVersion,
    ...(options.snapshot === undefined ? {} : { snapshot: options.snapshot }),
    inventory: inventoryDigest(set.moment.backends),
    rows: rows.cid,
    totals: planTotals(planning, summary),
    guards: checkGuards(planning, summary, limits),
    blocked: blockedCounts(planning),
    ...(asked === undefined ? {} : { limits: asked }),
    ...(budgets.length === 0 ? {} : { budgets }),
    ...(approvals.length === 0 ? {} : { approvals }),
    ...(leases.length === 0 ? {} : { leases: Object.fromEntries(leases) }),
    ...(orders.length === 0 ? {} : { orders: Object.fromEntries(orders) }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(only === undefined ? {} : { only: only.words }),
    ...(variables === undefined ? {} : { variables }),
  };
  const evaluatedAt = set.moment.now.toISOString();
  const cost = await planCost(planning, summary, budgets);
  return {
    cid: planCid(header),
    evaluatedAt,
    ...(cost === undefined ? {} : { cost }),
    header,
    rowsPath: rows.path,
  };
}

/** Which part of what the policies want is decided; all of it unless something is named. */
export interface PlanPart {
  readonly objects?: ObjectChoice | undefined;
  readonly scope?: PlanScope | undefined;
  readonly newCopiesOnly?: boolean;
  /** For all policies together. */
  readonly limits?: PlanLimits | undefined;
}

/**
 * What can go or move as things are comes first, since a copy that moves may be one that an
 * ensure lacks; then copies are added, and what waited for them is judged again; then surplus
 * is given up, and deletions are marked and done.
 */
export async function decideActions(
  planning: Planning,
  { objects, scope, newCopiesOnly = false, limits }: PlanPart = {},
): Promise<void> {
  await beginDraft(planning);
  await scanCandidates(planning, objects);
  await beginGroups(planning);
  await planRemovals(planning);
  await planEnsures(planning);
  await planPromotions(planning);
  await planKeptRemovals(planning);
  await planEndedLeases(planning);
  await planSurplus(planning);
  await planDeletions(planning);
  await planRuns(planning);
  await pairActions(planning);
  if (scope !== undefined) await narrowDraft(planning, scope);
  // What was lost is made good whatever the limits say.
  if (newCopiesOnly) {
    await keepNewCopies(planning);
    await planning.settle();
  } else {
    await limitDraft(planning, askedLimits(limits, scope));
    await keepWholeGroups(planning);
  }
  await planning.release("plan_turn", "plan_pick");
  await gatherRows(planning);
}

function askedLimits(plan: PlanLimits | undefined, scope: PlanScope | undefined): AskedLimits {
  return { plan, policy: scope === undefined ? undefined : limitsOfScope(scope) };
}

/** Digest of what the configuration says of the backends, and charges; how full they are is the index's. */
function inventoryDigest(backends: readonly Backend[]): string {
  const facts = backends
    .map((backend) => {
      const { id, name, driver, tier, region, labels, capacityBytes, cordoned, sameAs } = backend;
      const price = hasPrice(backend) ? { price: backend.price } : {};
      const same = sameAs === undefined ? {} : { sameAs };
      return { id, name, driver, tier, region, labels, capacityBytes, cordoned, ...price, ...same };
    })
    .toSorted((a, b) => a.id - b.id);
  return createHash("sha256").update(canonicalJson(facts)).digest("hex");
}

function definedOf(options: Partial<GuardLimits>): Partial<GuardLimits> {
  const { objectsShareMax, deletesShareMax, headRoomShare } = options;
  return Object.fromEntries(
    Object.entries({ objectsShareMax, deletesShareMax, headRoomShare }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}
