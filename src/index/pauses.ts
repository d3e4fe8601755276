import { type Connection, micros } from "#index/connection.ts";
import type { Transaction } from "#index/transaction.ts";
import { type ControlScope, type ControlTarget, type Pause, targetWords } from "#model/control.ts";
import type { SqlRow } from "#model/sql.ts";

/** Standing pauses, the oldest first. */
export async function listPauses(connection: Connection): Promise<readonly Pause[]> {
  const rows = await connection.rows<PauseRow>("FROM pauses ORDER BY since, scope, name");
  return rows.map(({ scope, name, reason, actor, since, until }) => ({
    scope,
    name,
    reason,
    actor,
    since: since.toISOString(),
    until: until?.toISOString(),
  }));
}

/** Writes a pause down; one that stands already for the same target gets the new words and end. */
export async function addPause(
  transaction: Transaction,
  target: ControlTarget,
  order: PauseOrder,
  now: Date,
): Promise<void> {
  const { scope, name } = target;
  const { reason, actor, until } = order;
  const { since } = await transaction.row<{ since: Date | null }>(
    "SELECT min(since) AS since FROM pauses WHERE scope = $1 AND name = $2",
    [scope, name],
  );
  await transaction.run("DELETE FROM pauses WHERE scope = $1 AND name = $2", [scope, name]);
  await transaction.run(
    `INSERT INTO pauses VALUES ($1, $2, $3, $4, make_timestamp($5::BIGINT),
       make_timestamp($6::BIGINT))`,
    [scope, name, reason, actor, micros(since ?? now), until === undefined ? null : micros(until)],
  );
  record(transaction, "paused", target, { ...order, until: until?.toISOString() }, now);
}

/** Ends the pause of a target; tells whether there was one. */
export async function endPause(
  transaction: Transaction,
  target: ControlTarget,
  order: Omit<PauseOrder, "until">,
  now: Date,
): Promise<boolean> {
  const ended = await transaction.run("DELETE FROM pauses WHERE scope = $1 AND name = $2", [
    target.scope,
    target.name,
  ]);
  if (ended > 0) record(transaction, "resumed", target, order, now);
  return ended > 0;
}

/** Pauses whose time was over at `now`. */
export async function expiredPauses(
  transaction: Transaction,
  now: Date,
): Promise<readonly ControlTarget[]> {
  return await transaction.rows<{ scope: ControlScope; name: string }>(
    "SELECT scope, name FROM pauses WHERE until <= make_timestamp($1::BIGINT) ORDER BY ALL",
    [micros(now)],
  );
}

/** Who orders something, why, and until when. */
export interface PauseOrder {
  readonly reason: string;
  readonly actor: string;
  readonly until?: Date;
}

interface PauseRow extends SqlRow {
  readonly scope: ControlScope;
  readonly name: string;
  readonly reason: string;
  readonly actor: string;
  readonly since: Date;
  readonly until: Date | null;
}

function record(
  transaction: Transaction,
  verb: "paused" | "resumed",
  target: ControlTarget,
  detail: Readonly<Record<string, unknown>>,
  now: Date,
): void {
  transaction.record({
    at: now,
    kind: "control",
    ...(target.scope === "run" ? { runId: target.name } : {}),
    reason: `${verb} ${targetWords(target)}`,
    detail: { ...target, ...detail },
  });
}
