import type { Backend } from "#model/backend.ts";
import type { ReadSession } from "#model/sql.ts";
import type { UndoReport } from "#model/undo.ts";
import type { CompiledRule } from "#policies/compiled-policy.ts";
import { booleanType } from "#policies/expression/value-type.ts";
import { bitOf } from "#policies/plan/mask-sql.ts";
import { sql, toStatement, trusted } from "#policies/sql-fragment.ts";

/** What a run did, as far as it can be turned round. */
export interface Undone extends Pick<UndoReport, "removed" | "gone" | "made" | "marked"> {
  /** Ids of configured backends from which it removed copies. */
  readonly from: readonly number[];
}

/**
 * Reads what became of the rows of a run's plan; what it removed is left in the session as
 * `undo_removed` (object_id, victim).
 */
export async function readUndone(
  session: ReadSession,
  runId: string,
  rowsPath: string,
  backends: readonly Backend[],
): Promise<Undone> {
  await session.run(
    toStatement(sql`CREATE OR REPLACE TEMP TABLE undo_done AS
      SELECT p.object_id, p.verb, p.target, p.victim, p.size
      FROM read_parquet(${rowsPath}) p JOIN ledger l ON l.run_id = ${runId}
        AND l.kind = 'outcome' AND l.outcome = 'done' AND l.sequence = p.sequence`),
  );
  await session.run(
    toStatement(
      trusted(`CREATE OR REPLACE TEMP TABLE undo_removed AS
      SELECT DISTINCT object_id, victim, size FROM undo_done WHERE victim IS NOT NULL`),
    ),
  );
  const [made] = await session.rows(
    toStatement(
      trusted(`SELECT count(*) FILTER (WHERE target IS NOT NULL) AS copies,
      coalesce(sum(size) FILTER (WHERE target IS NOT NULL), 0)::BIGINT AS bytes,
      count(DISTINCT object_id) FILTER (WHERE verb = 'tombstone') AS marked FROM undo_done`),
    ),
  );
  const removed = await session.rows(
    toStatement(
      trusted(`SELECT victim, count(*) AS copies, sum(size)::BIGINT AS bytes
      FROM undo_removed GROUP BY victim ORDER BY victim`),
    ),
  );
  const configured = new Set(backends.map(({ id }) => id));
  const sum = (column: string) => removed.reduce((all, row) => all + Number(row[column]), 0);
  const ids = removed.map(({ victim }) => Number(victim));
  return {
    removed: { copies: sum("copies"), bytes: sum("bytes") },
    made: { copies: Number(made?.["copies"]), bytes: Number(made?.["bytes"]) },
    marked: Number(made?.["marked"]),
    from: ids.filter((id) => configured.has(id)),
    gone: removed
      .filter(({ victim }) => !configured.has(Number(victim)))
      .map(({ victim, copies }) => ({ backend: `#${Number(victim)}`, copies: Number(copies) })),
  };
}

/**
 * One rule for each backend that lost copies: these objects shall have a verified copy there.
 * The planner then says where each comes from, and what stands in the way of the others.
 */
export function inverseRules(
  { from }: Undone,
  backends: readonly Backend[],
): readonly CompiledRule[] {
  const span = { source: "", start: 0, end: 0 };
  return backends
    .filter(({ id }) => from.includes(id))
    .map((backend) => ({
      id: `undo/${backend.name}`,
      policy: "undo",
      place: "undo",
      because: "the run that is undone removed this copy",
      where: sql`o.object_id IN (
        SELECT u.object_id FROM undo_removed u WHERE u.victim = ${backend.id}::INTEGER)`,
      whereByName: undefined,
      expression: { kind: "literal", value: true, type: booleanType, span },
      verb: {
        kind: "ensure",
        copies: { min: 1, max: undefined },
        on: bitOf(backend.id),
        confidence: "verified",
        per: undefined,
      },
      order: [],
      limit: { objects: undefined, bytes: undefined },
    }));
}
