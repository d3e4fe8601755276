import type { Backend } from "#model/backend.ts";
import { tiers } from "#model/copy.ts";
import type { ReadSession, SqlRow } from "#model/sql.ts";
import type { CompiledPolicySet, CompiledRule } from "#policies/compiled-policy.ts";
import { sql, type SqlFragment, toLiteralStatement, trusted } from "#policies/sql-fragment.ts";

/**
 * One evaluation under way. What is decided so far lies in temporary tables of the session:
 * `plan_candidate` (objects that some rule may act on, what they have, gain and lose; a view of
 * `plan_mask`, which lacks what is the same for all of them),
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
  /** Whether so many objects are judged that tables nobody needs any more are worth giving back. */
  #isLarge = false;
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

  /** Makes a temporary table; one of that name is given back before. */
  async table(name: PlanTable, rows: SqlFragment): Promise<void> {
    await this.release(name);
    await this.run(sql`CREATE OR REPLACE TEMP TABLE ${trusted(name)} AS ${rows}`);
    if (name !== "plan_mask") return;
    const [counted] = await this.rows(trusted("SELECT count(*) AS objects FROM plan_mask"));
    this.#isLarge = Number(counted?.["objects"]) >= largeObjects;
  }

  /** Gives back what temporary tables hold, if it is much; they are not read any more. */
  async release(...names: readonly PlanTable[]): Promise<void> {
    if (!this.#isLarge) return;
    for (const name of names) await this.session.release(name);
  }

  async run(fragment: SqlFragment): Promise<void> {
    await this.session.run(toLiteralStatement(fragment));
  }

  async rows(fragment: SqlFragment): Promise<readonly SqlRow[]> {
    return this.session.rows(toLiteralStatement(fragment));
  }
}

/** Temporary tables with a row for each object or action. */
export type PlanTable =
  | "plan_draft"
  | "plan_mask"
  | "plan_pick"
  | "plan_rank"
  | "plan_row"
  | "plan_surplus"
  | "plan_turn"
  | "plan_want";

/** Giving back a table takes some milliseconds, so tables of fewer objects are left to the end. */
const largeObjects = 50_000;

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
