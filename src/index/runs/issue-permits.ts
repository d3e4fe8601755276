import { cidText } from "#index/cid-key.ts";
import {
  type CopyFact,
  judgeReachable,
  type LivePermit,
  type RemovalCase,
} from "#index/runs/judge-removal.ts";
import { judgeInWords } from "#index/runs/judge-in-words.ts";
import { livePermits, type StoredPermit, storePermits } from "#index/runs/permit-store.ts";
import { refuseTooEarly } from "#index/runs/refuse-too-early.ts";
import { type JudgedStep, wholeGroups } from "#index/runs/group-removals.ts";
import { type ActionOutcome, leaveFlight } from "#index/runs/record-outcomes.ts";
import { policyRefusal } from "#index/runs/policy-refusal.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import { type OpenAction, requirementsOf } from "#index/runs/step-batch.ts";
import { type SameBackends, sameStorages } from "#index/same-storages.ts";
import type { Transaction } from "#index/transaction.ts";
import type { Confidence, StoredCopy } from "#model/copy.ts";
import type { CommitContext } from "#model/index-store.ts";
import type { PolicyWords } from "#model/policy-word.ts";

/**
 * Judges the removals of a batch one after the other, stores the permits with what they rest on
 * and gives the refusals as outcomes. Nothing can change in between: this is the only writer.
 * When one of them would rest on a copy on a backend that is out, none is judged yet: what is
 * asked again later loses nothing, what is refused now would have to be planned again.
 */
export async function issuePermits(
  transaction: Transaction,
  run: RunRecord,
  { actions, ended }: JudgedStep,
  context: CommitContext,
  policies: PolicyWords,
): Promise<PermitRound> {
  if (actions.length === 0) return { refusals: [], awaits: [] };
  refuseTooEarly(context);
  const facts = await readFacts(transaction, run, actions, context);
  const awaits = awaitedBackends(actions, facts, context, policies);
  if (awaits.length > 0) return { refusals: [], awaits };
  const permits: StoredPermit[] = [];
  const refusals: ActionOutcome[] = [];
  const judge = (action: OpenAction) =>
    judgeInWords(caseOf(action, facts, context, policies), known(action, facts), facts);
  const together = await wholeGroups(transaction, run, { actions, ended, judge });
  for (const action of actions) {
    const removal = caseOf(action, facts, context, policies);
    const judgement = together(action) ?? judge(action);
    if (judgement.permitted) {
      permits.push(permitFor(action, run, judgement.reserved, facts, context));
      addLive(facts.live, action.object_id, {
        victim: removal.victim,
        reserved: new Set(judgement.reserved.keys()),
      });
    } else {
      const backend = facts.names.get(removal.victim) ?? "";
      refusals.push(refusalFor(action, run, backend, judgement));
      recordRefusal(transaction, run, action, backend, judgement, context.now);
    }
  }
  const again = actions.some(({ expired }) => expired);
  await storePermits(transaction, permits, facts.ids, again);
  for (const permit of permits) recordPermit(transaction, run, permit, context);
  await transaction.stage(
    "permitted_actions",
    { sequence: "BIGINT" },
    permits.map((permit) => [permit.sequence]),
  );
  if (permits.length > 0) await leaveFlight(transaction, run, "permitted_actions");
  return { refusals, awaits: [] };
}

/** What became of the removals of a batch; `awaits` names backends without which none is judged. */
export interface PermitRound {
  readonly refusals: readonly ActionOutcome[];
  readonly awaits: readonly string[];
}

/** Backends that are out and that some removal needs: to remove from, or to rest on. */
function awaitedBackends(
  actions: readonly OpenAction[],
  facts: Facts,
  context: CommitContext,
  policies: PolicyWords,
): readonly string[] {
  if (facts.out.size === 0) return [];
  const awaited = new Set<number>();
  for (const action of actions) {
    const removal = caseOf(action, facts, context, policies);
    const judgement = judgeReachable(removal, facts.out);
    if (!judgement.permitted) continue;
    for (const id of [removal.victim, ...judgement.reserved.keys()]) {
      if (facts.out.has(id)) awaited.add(id);
    }
  }
  return [...awaited].toSorted((a, b) => a - b).map((id) => facts.names.get(id) ?? "");
}

/** What the judge is told of a copy, and what a worker has to find there. */
type KnownCopy = CopyFact & Pick<StoredCopy, "form" | "bytes">;

interface Facts {
  readonly copies: ReadonlyMap<number, readonly KnownCopy[]>;
  readonly live: Map<number, readonly LivePermit[]>;
  readonly planned: ReadonlyMap<number, ReadonlySet<number>>;
  readonly names: ReadonlyMap<number, string>;
  readonly ids: ReadonlyMap<string, number>;
  /** Backends that do not answer now. */
  readonly out: ReadonlySet<number>;
  /** Backends that are no longer configured: their copies can neither be checked nor counted on. */
  readonly left: ReadonlySet<number>;
  /** Of each backend the others that are the same storage. */
  readonly same: SameBackends;
  /** When the run began. */
  readonly begunAt: Date;
}

async function readFacts(
  transaction: Transaction,
  run: RunRecord,
  actions: readonly OpenAction[],
  context: CommitContext,
): Promise<Facts> {
  await transaction.stage(
    "judged_objects",
    { object_id: "BIGINT" },
    [...new Set(actions.map((action) => action.object_id))].map((id) => [id]),
  );
  const copies = await transaction.rows<{
    object_id: number;
    backend_id: number;
    confidence: Confidence;
    verified_at: Date | null;
    form: StoredCopy["form"];
    bytes: number;
  }>(
    `SELECT c.object_id, c.backend_id, c.confidence::VARCHAR AS confidence, c.verified_at,
       c.form::VARCHAR AS form, c.bytes
     FROM copies AS c SEMI JOIN judged_objects USING (object_id)
     WHERE c.state = 'present' ORDER BY ALL`,
  );
  const planned = await transaction.rows<{ object_id: number; victim: number }>(
    `SELECT DISTINCT p.object_id, p.victim FROM plan_actions AS p
     SEMI JOIN judged_objects USING (object_id)
     SEMI JOIN (FROM runs WHERE ended_at IS NULL) AS r ON r.plan_key = p.plan_key
     WHERE p.victim IS NOT NULL`,
  );
  const backends = await transaction.rows<{
    backend_id: number;
    name: string;
    configured: boolean;
  }>("SELECT backend_id, name, configured FROM backends");
  const ids = new Map(backends.map((row) => [row.name, row.backend_id]));
  return {
    copies: grouped(copies, (copy) => ({
      backendId: copy.backend_id,
      confidence: copy.confidence,
      verifiedAt: copy.verified_at ?? undefined,
      form: copy.form,
      bytes: copy.bytes,
    })),
    live: new Map(await livePermits(transaction, "judged_objects", context)),
    planned: new Map(
      [...grouped(planned, (row) => row.victim)].map(([id, victims]) => [id, new Set(victims)]),
    ),
    names: new Map(backends.map((row) => [row.backend_id, row.name])),
    ids,
    out: new Set([...(context.unreachable ?? [])].flatMap((name) => ids.get(name) ?? [])),
    left: new Set(backends.flatMap((row) => (row.configured ? [] : [row.backend_id]))),
    same: await sameStorages(transaction.connection, context.now),
    begunAt: run.createdAt,
  };
}

function known(action: OpenAction, facts: Facts): readonly KnownCopy[] {
  return facts.copies.get(action.object_id) ?? [];
}

function caseOf(
  action: OpenAction,
  facts: Facts,
  context: CommitContext,
  policies: PolicyWords,
): RemovalCase {
  const victim = action.victim ?? -1;
  const word = policies.get(action.object_id);
  return {
    authority: action.verb === "delete" ? "delete" : "surplus",
    victim,
    requirements: requirementsOf(action),
    copies: known(action, facts).filter(
      ({ backendId }) => backendId === victim || !facts.left.has(backendId),
    ),
    held: action.held,
    refused: policyRefusal(action, word, context.now),
    promises: word?.promises,
    leased: word?.leased,
    // A mark that was lifted and set anew since gives a new grace, which nobody has judged.
    tombstoned: action.tombstoned !== null && action.tombstoned <= facts.begunAt,
    // A permit for the same copy, from another run, takes away nothing more.
    livePermits: facts.live.get(action.object_id) ?? [],
    plannedVictims: facts.planned.get(action.object_id) ?? new Set(),
    minimumCopies: Math.max(1, context.minimumCopies),
    sameStorage: facts.same,
  };
}

/** Of the run and the action; with the second of its issue when an earlier one ran out unused. */
function permitId({ runId }: RunRecord, action: OpenAction, { now }: CommitContext): string {
  const first = `${runId}-${action.sequence}`;
  return action.expired ? `${first}-${Math.floor(now.getTime() / 1_000)}` : first;
}

function permitFor(
  action: OpenAction,
  run: RunRecord,
  reserved: ReadonlyMap<number, Confidence>,
  facts: Facts,
  context: CommitContext,
): StoredPermit {
  const copies = known(action, facts);
  return {
    id: permitId(run, action, context),
    cid: cidText(action.cid),
    size: action.size,
    profile: action.profile,
    objectId: action.object_id,
    backend: facts.names.get(action.victim ?? -1) ?? "",
    reserved: [...reserved]
      .toSorted(([a], [b]) => a - b)
      .map(([id, confidence]) => {
        const copy = copies.find(({ backendId }) => backendId === id);
        const stored = copy && { form: copy.form, bytes: copy.bytes };
        const verifiedAt = copy?.verifiedAt?.toISOString();
        return { backend: facts.names.get(id) ?? "", confidence, verifiedAt, stored };
      }),
    authority: action.verb === "delete" ? "delete" : "surplus",
    issuedAt: context.now.toISOString(),
    expiresAt: new Date(context.now.getTime() + context.permitTtlMs).toISOString(),
    runKey: run.runKey,
    sequence: action.sequence,
    backendId: action.victim ?? -1,
    state: "open",
    pending: undefined,
  };
}

type Refusal = Extract<ReturnType<typeof judgeReachable>, { permitted: false }>;

function refusalFor(
  action: OpenAction,
  run: RunRecord,
  backend: string,
  refusal: Refusal,
): ActionOutcome {
  return {
    sequence: action.sequence,
    batch: action.batch,
    verb: action.verb,
    objectId: action.object_id,
    size: action.size,
    outcome: "skipped",
    code: refusal.reason,
    message: refusal.message,
    refused: true,
    detail: { verb: action.verb, rule: action.rule, backend, run: run.runId },
  };
}

function recordRefusal(
  transaction: Transaction,
  run: RunRecord,
  action: OpenAction,
  backend: string,
  refusal: Refusal,
  now: Date,
): void {
  transaction.record({
    at: now,
    kind: "refusal",
    runId: run.runId,
    planCid: run.planCid,
    sequence: action.sequence,
    objectId: action.object_id,
    reason: refusal.reason,
    detail: { backend, message: refusal.message },
  });
}

function recordPermit(
  transaction: Transaction,
  run: RunRecord,
  permit: StoredPermit,
  { now, epoch }: CommitContext,
): void {
  transaction.record({
    at: now,
    kind: "permit",
    runId: run.runId,
    planCid: run.planCid,
    sequence: permit.sequence,
    objectId: permit.objectId,
    reason: permit.authority,
    detail: {
      permit: permit.id,
      backend: permit.backend,
      ...(epoch === undefined ? {} : { epoch }),
      reserved: permit.reserved,
      expiresAt: permit.expiresAt,
    },
  });
}

function addLive(
  live: Map<number, readonly LivePermit[]>,
  objectId: number,
  permit: LivePermit,
): void {
  live.set(objectId, [...(live.get(objectId) ?? []), permit]);
}

function grouped<Row extends { readonly object_id: number }, Value>(
  rows: readonly Row[],
  value: (row: Row) => Value,
): ReadonlyMap<number, readonly Value[]> {
  const groups = new Map<number, Value[]>();
  for (const row of rows) {
    const group = groups.get(row.object_id);
    if (group === undefined) groups.set(row.object_id, [value(row)]);
    else group.push(value(row));
  }
  return groups;
}
