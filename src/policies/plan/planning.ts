import type { Backend } from "#model/backend.ts";
import { tiers } from "#model/copy.ts";
import type { ReadSession, SqlRow } from "#model/sql.ts";
import type { CompiledPolicySet, CompiledRule } from "#policies/compiled-policy.ts";
import { BlockedWishes } from "#policies/plan/blocked-wishes.ts";
import { noBackends } from "#policies/plan/mask-sql.ts";
import { sql, type SqlFragment, toLiteralStatement, trusted } from "#policies/sql-fragment.ts";

/**
 * One evaluation under way. What is decided so far lies in temporary tables of the session:
 * `plan_candidate` (objects that some rule may act on, what they have, gain and lose; a view of
 * `plan_mask`, which lacks what is the same for all of them) and `plan_draft` (actions). The steps
 * read and extend them with one statement per question, never row by row.
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
  /** What rules wanted and could not be given. */
  readonly blocked = new BlockedWishes();
  /** Whether some candidate gains a copy by what is decided so far (`added`). */
  adds = false;
  /** Whether some candidate loses a copy by it (`removed`). */
  removes = false;
  /** Whether an action may rest on another one (`depends`). */
  mayWait = false;
  /** Whether rules ask for names, and some object that is looked at has more than one (`plan_named`). */
  hasNames = false;
  /** Whether some object failed too often to be copied or removed somewhere. */
  hasStuck = false;
  /** Whether some backend lets nobody remove its copy of some object. */
  hasLocked = false;
  /** Candidates of which there is no table yet, and whether somebody has read them even so. */
  #unread: { readonly masks: SqlFragment; readonly columns: string } | undefined;
  #wasRead = false;
  /** What `plan_mask` does not know yet. */
  #changes: SqlFragment | undefined;
  /**
   * Told of each rule that frees a backend (by its bit) down to a mark, when a table has what it
   * could free in its order, or there is nothing, and `plan_need` how much it has to.
   */
  beforeCut?: (rule: number, backend: bigint, turns: SqlFragment | undefined) => Promise<void>;
  /**
   * Set where actions may come in any order, as it is asked what some objects get: from so many on,
   * what is needed is found without sorting all of them.
   */
  anyOrder?: { readonly from: number };
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

  /** Whether rules act on so many objects that a sieve for them (`sifting`) takes more than it saves. */
  get actsOnMany(): boolean {
    const objects = [...this.spent.values()].reduce((sum, spent) => sum + spent.objects, 0);
    return objects > siftedMax;
  }

  /** Numbers the steps of the plan: actions run roughly in this order. */
  nextStep(): number {
    this.#step += 1;
    return this.#step;
  }

  /**
   * Takes over the candidates: what `plan_mask` is made of, and the columns that are the same for all
   * of them. Those that are read `once` become no table until somebody looks a second time.
   */
  async hasCandidates(masks: SqlFragment, columns: string, once: boolean): Promise<void> {
    this.#unread = { masks, columns };
    if (!once) await this.settle();
  }

  /** Candidates to read from, before a table is made of what is read. */
  async candidates(): Promise<SqlFragment> {
    const unread = this.#unread;
    if (unread === undefined || this.#wasRead) {
      await this.settle();
      return trusted("plan_candidate");
    }
    this.#wasRead = true;
    // Apart, so that what is asked of candidates is not asked of all objects.
    return sql`(WITH unread AS MATERIALIZED (${unread.masks})
      SELECT *${trusted(unread.columns)} FROM unread)`;
  }

  /** From so many objects on, it is asked which of them may have their turn before they are sorted. */
  get manyFrom(): number {
    return this.safety.manyFrom ?? sortedMax;
  }

  /** Says how many objects are judged, at least. */
  judges(objects: number): void {
    this.#isLarge ||= objects >= (this.safety.manyFrom ?? largeObjects);
  }

  /** Makes a temporary table; one of that name is given back before. */
  async table(name: PlanTable, rows: SqlFragment): Promise<void> {
    await this.release(name);
    await this.run(sql`CREATE OR REPLACE TEMP TABLE ${trusted(name)} AS ${rows}`);
  }

  /** Backends where a candidate (alias `c`) gains a copy by what is decided so far. */
  get added(): SqlFragment {
    return this.adds ? trusted("c.added") : noBackends;
  }

  /** Backends where it loses one. */
  get removed(): SqlFragment {
    return this.removes ? trusted("c.removed") : noBackends;
  }

  /**
   * Has candidates gain and lose (`target`, `gone`) what the rows of `plan_turn` say, as soon as
   * somebody looks at candidates again: after the last rule nobody does.
   */
  change(turns: { readonly adds: boolean }): void {
    this.adds ||= turns.adds;
    this.removes = true;
    const gain = "CASE WHEN t.target IS NULL THEN 0 ELSE 1::BIGINT << t.target END";
    const added = trusted(turns.adds ? `added = plan_mask.added | ${gain}, ` : "");
    this.#changes = sql`UPDATE plan_mask
      SET ${added}removed = plan_mask.removed | t.gone
      FROM plan_turn t WHERE t.object_id = plan_mask.object_id`;
  }

  /** `plan_candidate` as a table that knows what was decided. */
  async settle(): Promise<void> {
    const unread = this.#unread;
    this.#unread = undefined;
    if (unread !== undefined) {
      await this.table("plan_mask", unread.masks);
      await this.run(
        trusted(`CREATE OR REPLACE TEMP VIEW plan_candidate AS
          SELECT *${unread.columns} FROM plan_mask`),
      );
      const [counted] = await this.rows(trusted("SELECT count(*) AS objects FROM plan_mask"));
      this.judges(Number(counted?.["objects"]));
    }
    const changes = this.#changes;
    this.#changes = undefined;
    if (changes !== undefined) await this.run(changes);
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
  | "plan_surplus"
  | "plan_turn"
  | "plan_want";

/** A sieve takes two bytes and more for each of them, and lets most pass where they are most. */
const siftedMax = 500_000;

/**
 * Giving back a table takes a statement for each column, so tables of fewer objects, which hold some
 * hundred bytes for each, are left to the end.
 */
const largeObjects = 500_000;

/** To sort fewer costs less than to ask which of them can have their turn. */
const sortedMax = 50_000;

export interface PlanningSafety {
  readonly minimumCopies: number;
  readonly headRoomShare: number;
  /**
   * From so many objects on, tables that nobody needs any more are given back during the plan, and
   * only objects are sorted that may have their turn.
   */
  readonly manyFrom?: number | undefined;
}

/** Bytes for new copies once the head-room is left free; undefined without a known bound. */
export function roomOf(backend: Backend, headRoomShare: number): number | undefined {
  if (backend.freeBytes === undefined) return undefined;
  const kept = Math.ceil((backend.capacityBytes ?? 0) * headRoomShare);
  return Math.max(0, backend.freeBytes - kept);
}
