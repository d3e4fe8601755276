import type { Connection, StageType, StageValue } from "#index/connection.ts";
import { type Acting, acting } from "#model/acting.ts";
import type { SqlRow, SqlValue } from "#model/sql.ts";

/** What is written to the ledger beside its id. */
export interface LedgerEntry {
  readonly at: Date;
  readonly kind:
    | "outcome"
    | "permit"
    | "refusal"
    | "proof"
    | "settlement"
    | "run"
    | "control"
    | "hold"
    | "cordon"
    | "drift"
    | "import"
    | "quarantine"
    | "failure"
    | "suspension"
    | "repair"
    | "limits"
    | "schedule"
    | "approval";
  readonly runId?: string;
  readonly planCid?: string;
  readonly sequence?: number;
  readonly objectId?: number;
  readonly outcome?: string;
  readonly reason?: string;
  readonly detail?: unknown;
}

/** What a statement fills that writes many entries at once: all but who and why. */
export const ledgerColumns =
  "entry_id, recorded, kind, run_id, plan_cid, sequence, object_id, outcome, reason, detail";

/** The types of these columns and of `actor, note` after them. */
const ledgerTypes: readonly StageType[] = [
  "BIGINT",
  "TIMESTAMP",
  "VARCHAR",
  "VARCHAR",
  "VARCHAR",
  "BIGINT",
  "BIGINT",
  "VARCHAR",
  "VARCHAR",
  "VARCHAR",
  "VARCHAR",
  "VARCHAR",
];

/** Who acts and why, for a statement that writes many entries: the columns `actor, note`. */
export function actingColumns(): readonly [actor: string | null, note: string | null] {
  const by = acting();
  return [by?.actor ?? null, by?.reason ?? null];
}

interface Counters extends SqlRow {
  readonly commits: number;
  readonly next_object: number;
  readonly next_entry: number;
  readonly next_run: number;
  readonly next_plan: number;
}

type CounterName = "object" | "entry" | "run" | "plan";

/** One write transaction: statements, dense ids and ledger entries that become real together. */
export class Transaction {
  readonly connection: Connection;
  readonly #next: Record<CounterName, number>;
  #entries: (LedgerEntry & { readonly acting: Acting | undefined })[] = [];
  #content = true;
  #checkpoint = false;

  private constructor(connection: Connection, counters: Counters) {
    this.connection = connection;
    this.#next = {
      object: counters.next_object,
      entry: counters.next_entry,
      run: counters.next_run,
      plan: counters.next_plan,
    };
  }

  static async begin(connection: Connection): Promise<Transaction> {
    return new Transaction(connection, await connection.row<Counters>("SELECT * FROM counters"));
  }

  async run(text: string, parameters: readonly SqlValue[] = []): Promise<number> {
    return await this.connection.run(text, parameters);
  }

  async rows<Row extends SqlRow>(
    text: string,
    parameters: readonly SqlValue[] = [],
  ): Promise<readonly Row[]> {
    return await this.connection.rows<Row>(text, parameters);
  }

  async row<Row extends SqlRow>(text: string, parameters: readonly SqlValue[] = []): Promise<Row> {
    return await this.connection.row<Row>(text, parameters);
  }

  async stage(
    table: string,
    schema: Readonly<Record<string, StageType>>,
    rows: readonly (readonly StageValue[])[],
  ): Promise<void> {
    await this.connection.stage(table, schema, rows);
  }

  /** Takes `count` ids in a row and gives the first. */
  takeIds(counter: CounterName, count: number): number {
    const first = this.#next[counter];
    this.#next[counter] += count;
    return first;
  }

  /** Adds entries, in order; they are written when the transaction finishes. */
  record(...entries: readonly LedgerEntry[]): void {
    const by = acting();
    for (const entry of entries) this.#entries.push({ ...entry, acting: by });
  }

  /** For writes that change nothing anyone reads (caches): the version stays. */
  keepVersion(): void {
    this.#content = false;
  }

  /**
   * Asks for what was written to go into the columns at once, without the log: for changes of so
   * many rows side by side that the log would be the longer of the two. While somebody reads an
   * older state it goes to the log all the same, as that state is still needed.
   */
  checkpointAtCommit(): void {
    this.#checkpoint = true;
  }

  get checkpointsAtCommit(): boolean {
    return this.#checkpoint;
  }

  /** Writes the ledger and the counters. */
  async finish(): Promise<void> {
    await this.#writeLedger();
    await this.run(
      `UPDATE counters SET commits = commits + $1::BIGINT, next_object = $2, next_entry = $3,
         next_run = $4, next_plan = $5`,
      [this.#content ? 1 : 0, this.#next.object, this.#next.entry, this.#next.run, this.#next.plan],
    );
  }

  async #writeLedger(): Promise<void> {
    const entries = this.#entries;
    if (entries.length === 0) return;
    const first = this.takeIds("entry", entries.length);
    await this.connection.append(
      "ledger_entries",
      ledgerTypes,
      entries.map((entry, position) => [
        first + position,
        entry.at,
        entry.kind,
        entry.runId,
        entry.planCid,
        entry.sequence,
        entry.objectId,
        entry.outcome,
        entry.reason,
        entry.detail === undefined ? null : JSON.stringify(entry.detail),
        entry.acting?.actor,
        entry.acting?.reason,
      ]),
    );
  }
}
