import { judgeReachable, type LivePermit, type RemovalCase } from "#index/runs/judge-removal.ts";
import type { SameBackends } from "#index/same-storages.ts";
import type { PolicyWord } from "#model/policy-word.ts";
import { permitMarginMs } from "#model/removal.ts";
import type { CommitContext } from "#model/index-store.ts";
import type { RemovalPermit } from "#model/removal.ts";
import type { ModelCopies } from "./model-copies.ts";
import type { ModelAction, ModelRun } from "./model-run.ts";

export type ModelPermit = RemovalPermit & {
  readonly run: ModelRun;
  readonly sequence: number;
  readonly backendId: number;
  readonly reservedIds: ReadonlySet<number>;
  state: "open" | "unknown" | "ended" | "done";
  endedAt: number | undefined;
};

/** What a removal is judged by besides the permits. */
export interface PermitFacts {
  readonly copies: ModelCopies;
  readonly runs: readonly ModelRun[];
  readonly names: readonly string[];
  readonly isHeld: (object: number) => boolean;
  /** What policies say of the object now. */
  readonly said: (object: number) => PolicyWord | undefined;
  readonly markedSince: (object: number) => number | undefined;
  /** Of each backend the others that are the same storage. */
  readonly same: SameBackends;
  /** Backends that do not answer. */
  readonly out: ReadonlySet<number>;
}

/** The permits of a model index; each removal is judged by the engine's own judge. */
export class ModelPermits {
  readonly #permits = new Map<string, ModelPermit>();
  readonly #judged: (removal: RemovalCase) => RemovalCase;

  /** `judged` may change what the judge is told, to show that this is noticed. */
  constructor(judged: (removal: RemovalCase) => RemovalCase = (removal) => removal) {
    this.#judged = judged;
  }

  all(): readonly ModelPermit[] {
    return [...this.#permits.values()];
  }

  get(id: string): ModelPermit | undefined {
    return this.#permits.get(id);
  }

  of(run: ModelRun, sequence: number): ModelPermit | undefined {
    return this.all().find((permit) => permit.run === run && permit.sequence === sequence);
  }

  /** Whether an action has a permit, other than one that ran out unused. */
  isIssued(run: ModelRun, sequence: number): boolean {
    const permit = this.of(run, sequence);
    return permit !== undefined && permit.state !== "ended";
  }

  /** Gives leave for one removal, or says why not. */
  issue(
    run: ModelRun,
    action: ModelAction,
    object: { readonly cid: string; readonly size: number; readonly profile: string },
    facts: PermitFacts,
    context: CommitContext,
  ): ModelPermit | string {
    const removal = this.caseOf(action, run, facts, context);
    const { victim, copies } = removal;
    const judgement = judgeReachable(removal, facts.out);
    if (!judgement.permitted) return judgement.reason;
    const reserved = [...judgement.reserved].toSorted(([a], [b]) => a - b);
    const expired = this.of(run, action.sequence);
    if (expired !== undefined) this.#permits.delete(expired.id);
    const first = `${run.id}-${action.sequence}`;
    const second = Math.floor(context.now.getTime() / 1_000);
    const permit: ModelPermit = {
      ...object,
      id: expired === undefined ? first : `${first}-${second}`,
      objectId: action.object,
      backend: facts.names[victim] ?? "",
      reserved: reserved.map(([id, confidence]) => {
        const copy = facts.copies.of(action.object).get(id);
        return {
          backend: facts.names[id] ?? "",
          confidence,
          verifiedAt: copies.find((one) => one.backendId === id)?.verifiedAt?.toISOString(),
          stored: copy && { form: copy.form, bytes: copy.bytes },
        };
      }),
      authority: removal.authority,
      issuedAt: context.now.toISOString(),
      expiresAt: new Date(context.now.getTime() + context.permitTtlMs).toISOString(),
      run,
      sequence: action.sequence,
      backendId: victim,
      reservedIds: new Set(judgement.reserved.keys()),
      state: "open",
      endedAt: undefined,
    };
    this.#permits.set(permit.id, permit);
    return permit;
  }

  /** What the answer to "may this copy go?" rests on. */
  caseOf(
    action: ModelAction,
    run: ModelRun,
    facts: PermitFacts,
    context: CommitContext,
  ): RemovalCase {
    const victim = action.victim ?? -1;
    const word = facts.said(action.object);
    const copies = [...facts.copies.of(action.object)]
      .filter(([, copy]) => copy.state === "present")
      .toSorted(([a], [b]) => a - b)
      .map(([backendId, { confidence, verifiedAt }]) => ({
        backendId,
        confidence,
        verifiedAt: verifiedAt === undefined ? undefined : new Date(verifiedAt),
      }));
    return this.#judged({
      authority: authorityOf(action),
      victim,
      requirements: action.requirements,
      copies,
      held: facts.isHeld(action.object),
      refused: word?.refused ?? (action.verb === "delete" ? word?.kept : undefined),
      promises: word?.promises,
      tombstoned: (facts.markedSince(action.object) ?? Infinity) <= Date.parse(run.createdAt),
      livePermits: this.#live(action.object, context.now.getTime()),
      plannedVictims: plannedVictims(action.object, facts.runs),
      minimumCopies: Math.max(1, context.minimumCopies),
      sameStorage: facts.same,
    });
  }

  /** Permits that may still be used; once reported on, one reserves nothing more. */
  #live(object: number, now: number): readonly LivePermit[] {
    return this.all()
      .filter((permit) => permit.objectId === object)
      .filter((permit) => isOpen(permit) || Date.parse(permit.expiresAt) > now - permitMarginMs())
      .map((permit) => ({
        victim: permit.backendId,
        reserved: isOpen(permit) ? permit.reservedIds : new Set<number>(),
      }));
  }
}

export function isOpen({ state }: ModelPermit): boolean {
  return state === "open" || state === "unknown";
}

function authorityOf({ verb }: ModelAction): RemovalPermit["authority"] {
  return verb === "delete" ? "delete" : "surplus";
}

/** The permit as the world outside knows it. */
export function publicPermit(permit: ModelPermit): RemovalPermit & { readonly sequence: number } {
  const {
    run: _run,
    backendId: _id,
    reservedIds: _ids,
    state: _state,
    endedAt: _at,
    ...rest
  } = permit;
  return rest;
}

function plannedVictims(object: number, runs: readonly ModelRun[]): ReadonlySet<number> {
  const open = runs.filter(({ endedAt }) => endedAt === undefined);
  const victims = open.flatMap(({ actions }) =>
    actions.filter((action) => action.object === object).map(({ victim }) => victim),
  );
  return new Set(victims.filter((victim) => victim !== null));
}
