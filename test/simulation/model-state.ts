import type { RemovalCase } from "#index/runs/judge-removal.ts";
import type { SameBackends } from "#index/same-storages.ts";
import { EngineError } from "#model/engine-error.ts";
import { ModelCopies, type SaidOfCopy } from "./model-copies.ts";
import { type ModelPermit, ModelPermits } from "./model-permits.ts";
import type { ModelOutcome, ModelRun } from "./model-run.ts";
import type { IndexFacts } from "./simulated-index.ts";

export interface ModelObject {
  readonly cid: string;
  readonly size: number;
  readonly profile: string;
  held: boolean;
  /** Since when it is marked for deletion. */
  tombstoned: number | undefined;
}

/** What a model of the index remembers: plain maps and lists in place of tables. */
export class ModelState {
  readonly names: readonly string[];
  /** Of each backend the others that are the same storage. */
  readonly same: SameBackends;
  readonly objects: ModelObject[] = [];
  readonly runs: ModelRun[] = [];
  readonly copies = new ModelCopies();
  readonly permits: ModelPermits;
  /** With what code a removal failed whose outcome nobody knows yet, by permit. */
  readonly pending = new Map<string, string>();
  readonly outcomes: IndexFacts["outcomes"][number][] = [];
  readonly issued: IndexFacts["permits"][number][] = [];
  readonly proofs: IndexFacts["proofs"][number][] = [];
  #entry = 0;

  constructor(
    names: readonly string[],
    judged?: (removal: RemovalCase) => RemovalCase,
    same: SameBackends = new Map(),
  ) {
    this.names = names;
    this.same = same;
    this.permits = new ModelPermits(judged);
  }

  object(id: number): ModelObject {
    const object = this.objects[id];
    if (object === undefined) throw new EngineError("NOT_FOUND", `there is no object ${id}`);
    return object;
  }

  run(id: string): ModelRun {
    const run = this.runs.find((one) => one.id === id);
    if (run === undefined) throw new EngineError("NOT_FOUND", `there is no run "${id}"`);
    return run;
  }

  /** The number of the next entry of the ledger. */
  entry(): number {
    return (this.#entry += 1);
  }

  /** Records the outcome of an action. */
  end(run: ModelRun, sequence: number, outcome: ModelOutcome, reason: string): void {
    this.entry();
    this.outcomes.push({ run: run.id, sequence, outcome, reason });
    run.end(sequence, outcome);
  }

  /** Records that the copy of a permit is gone, with its proof. */
  prove(permit: ModelPermit, now: Date): void {
    this.proofs.push({ entry: this.entry(), permit: permit.id });
    this.endPermit(permit, "done", now);
  }

  /** Takes copies out of what is known, as src/index/runs/doubt-other-names does of other names. */
  forget(permits: readonly ModelPermit[], now: Date): void {
    this.copies.change(permits.map((permit) => goneCopy(permit, now)));
    for (const { objectId, backendId } of permits) {
      for (const other of this.same.get(backendId) ?? []) this.copies.doubt(objectId, other);
    }
  }

  endPermit(permit: ModelPermit, state: ModelPermit["state"], now: Date): void {
    permit.state = state;
    permit.endedAt = now.getTime();
  }
}

function goneCopy(permit: ModelPermit, now: Date): SaidOfCopy {
  const { objectId: object, backendId: backend } = permit;
  return { object, backend, state: "gone", confidence: "claimed", checkedAt: now.getTime() };
}

export function unissued(permitId: string): EngineError {
  return new EngineError("INTERNAL", `there is no permit "${permitId}"`);
}
