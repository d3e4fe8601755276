import { type Connection, micros } from "#index/connection.ts";
import type { Transaction } from "#index/transaction.ts";
import type { SamePair } from "#model/same-storage.ts";

/** Of each backend the others that are the same storage, by their ids. */
export type SameBackends = ReadonlyMap<number, ReadonlySet<number>>;

/** So long a finding counts: storages may be told apart meanwhile, and a worker finds it anew. */
const keptMs = 24 * 60 * 60 * 1_000;

/** Keeps what a worker found, and forgets what was found too long ago. */
export async function noteSameStorages(
  transaction: Transaction,
  pairs: readonly SamePair[],
  now: Date,
): Promise<void> {
  if (pairs.length === 0) return;
  await transaction.run("DELETE FROM same_storages WHERE found_at <= make_timestamp($1::BIGINT)", [
    micros(new Date(now.getTime() - keptMs)),
  ]);
  const found = new Map(pairs.map((pair) => [JSON.stringify(pair.toSorted()), pair]));
  for (const pair of found.values()) {
    await transaction.run(
      `DELETE FROM same_storages WHERE (backend_id, other_id) IN (SELECT (one, other) FROM (${idsOfPair}))`,
      [...pair],
    );
    await transaction.run(
      `INSERT INTO same_storages SELECT one, other, make_timestamp($3::BIGINT) FROM (${idsOfPair})`,
      [...pair, micros(now)],
    );
  }
}

/** Of two names the ids, the smaller one first; nothing where there are not two such backends. */
const idsOfPair = `SELECT min(backend_id) AS one, max(backend_id) AS other FROM backends
  WHERE name IN ($1, $2) HAVING count(*) = 2`;

/** What is known of it at a time. */
export async function sameStorages(connection: Connection, at: Date): Promise<SameBackends> {
  const rows = await connection.rows<{ backend_id: number; other_id: number }>(
    `SELECT backend_id, other_id FROM same_storages
     WHERE found_at > make_timestamp($1::BIGINT) AND found_at <= make_timestamp($2::BIGINT)
     ORDER BY ALL`,
    [micros(new Date(at.getTime() - keptMs)), micros(at)],
  );
  const same = new Map<number, Set<number>>();
  const add = (one: number, other: number): void => {
    same.set(one, (same.get(one) ?? new Set()).add(other));
  };
  for (const { backend_id: one, other_id: other } of rows) {
    add(one, other);
    add(other, one);
  }
  return same;
}
