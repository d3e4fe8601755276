import type { Database } from "#index/database.ts";
import type { TriggerEvent } from "#model/engine-event.ts";
import type { Starter, StarterNote, StarterState } from "#model/starter.ts";

/** The state of schedules and triggers. Plans do not depend on it: the version stays. */
export class StarterLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async all(): Promise<readonly Starter[]> {
    const rows = await this.#database.read((connection) =>
      connection.rows<{ policy: string; name: string; state: string }>(
        "SELECT policy, name, state FROM starters ORDER BY policy, name",
      ),
    );
    return rows.map(({ policy, name, state }) => {
      return { policy, name, state: JSON.parse(state) as StarterState };
    });
  }

  /** Stores a state; what it tells of is noted in the ledger with it. */
  async put(starter: Starter, notes: readonly StarterNote[], now: Date): Promise<void> {
    await this.#database.write(async (transaction) => {
      transaction.keepVersion();
      const { policy, name, state } = starter;
      await transaction.run("DELETE FROM starters WHERE policy = $1 AND name = $2", [policy, name]);
      await transaction.run("INSERT INTO starters VALUES ($1, $2, $3)", [
        policy,
        name,
        JSON.stringify(state),
      ]);
      for (const { reason, runId, ...detail } of notes) {
        const about = runId === undefined ? {} : { runId };
        transaction.record({
          at: now,
          kind: "schedule",
          reason,
          ...about,
          detail: { policy, name, ...detail },
        });
      }
    });
  }

  /** Forgets what a policy no longer has. */
  async forget({ policy, name }: Pick<Starter, "policy" | "name">): Promise<void> {
    await this.#database.write(async (transaction) => {
      transaction.keepVersion();
      await transaction.run("DELETE FROM starters WHERE policy = $1 AND name = $2", [policy, name]);
    });
  }

  /** How often such an event has become true, as a number that grows with it. */
  async mark(event: TriggerEvent): Promise<number> {
    const row = await this.#database.read((connection) =>
      connection.row<{ mark: number }>(markTexts[event]),
    );
    return row.mark;
  }
}

const markTexts: Readonly<Record<TriggerEvent, string>> = {
  "object-added": "SELECT next_object::DOUBLE AS mark FROM counters",
  "backend-added": "SELECT coalesce(max(backend_id), -1)::DOUBLE AS mark FROM backends",
  "copy-lost": `SELECT coalesce(max(entry_id), -1)::DOUBLE AS mark FROM ledger_entries
    WHERE kind = 'drift' AND reason IN ('lost', 'corrupt')`,
};
