import type { Backend } from "#model/backend.ts";
import { tiers } from "#model/copy.ts";
import type { ReadSession, SqlRow } from "#model/sql.ts";
import type { CompiledPolicySet, CompiledRule } from "#policies/compiled-policy.ts";
import { type SqlFragment, toLiteralStatement } from "#policies/sql-fragment.ts";

/**
 * One evaluation under way. What is decided so far lies in temporary tables of the session:
 * `plan_candidate` (objects that some rule may act on, what they have, gain and lose),
 * `plan_draft` (actions) and `plan_blocked` (what could not be given). The steps read and
 * extend them with one statement per question, never row by row.
 */
export class Planning {
  readonly set: CompiledPolicySet;
  readonly session: ReadSession;
  readonly safety: PlanningSafety;
  readonly minimumCopies: number;
  /** The warmest first, then by id: copies are read from, and given up, in this order. */
  readonly backends: readonly Backend[];
  /** Bytes that this plan may still put on a backend; absent when there is no known bound. */
  readonly room: Map<number, number>;
  /** What the actions so far have used of the limits of their rule, by place in the set. */
  readonly spent = new Map<number, { readonly objects: number; readonly bytes: number }>();
  #step = 0;

  constructor(set: CompiledPolicySet, session: ReadSession, safety: PlanningSafety) {
    this.set = set;
    this.session = session;
    this.safety = safety;
    this.minimumCopies = Math.max(1, safety.minimumCopies);
    this.backends = set.moment.backends.toSorted(
      (a, b) => tiers.indexOf(a.tier) - tiers.indexOf(b.tier) || a.id - b.id,
    );
    this.room = new Map(
      set.moment.backends.flatMap((backend) => {
        const room = roomOf(backend, safety.headRoomShare);
        return room === undefined ? [] : [[backend.id, room] as const];
      }),
    );
  }

  get rules(): readonly CompiledRule[] {
    return this.set.rules;
  }

  /** Numbers the steps of the plan: actions run roughly in this order. */
  nextStep(): number {
    this.#step += 1;
    return this.#step;
  }

  async run(fragment: SqlFragment): Promise<void> {
    await this.session.run(toLiteralStatement(fragment));
  }

  async rows(fragment: SqlFragment): Promise<readonly SqlRow[]> {
    return this.session.rows(toLiteralStatement(fragment));
  }
}

export interface PlanningSafety {
  readonly minimumCopies: number;
  readonly headRoomShare: number;
}

/** Bytes for new copies once the head-room is left free; undefined without a known bound. */
export function roomOf(backend: Backend, headRoomShare: number): number | undefined {
  if (backend.freeBytes === undefined) return undefined;
  const kept = Math.ceil((backend.capacityBytes ?? 0) * headRoomShare);
  return Math.max(0, backend.freeBytes - kept);
}
