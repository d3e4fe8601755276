import type { Connection } from "#index/connection.ts";
import { needsMore } from "#index/runs/batch-needs.ts";
import { permitMarginMs } from "#model/removal.ts";
import type { SqlRow } from "#model/sql.ts";
import type { ActionStanding, OpenWork } from "#model/why.ts";

const actionsMax = 20;

/** What is left of unfinished runs (of one, or all), by what its batches have in common. */
export async function openWork(
  connection: Connection,
  runId: string | undefined,
  clockSkewMs: number,
): Promise<readonly OpenWork[]> {
  const rows = await connection.rows<Omit<OpenWork, "settledAt"> & Expiring>(
    `SELECT r.run_id AS "runId", b.lane, b.policy, b.verb, any_value(s.name) AS source,
       any_value(t.name) AS target, any_value(v.name) AS victim,
       count(*) FILTER (WHERE b.state = 'pending') AS pending,
       count(*) FILTER (WHERE b.state = 'pending' AND ${needsMore("b")}) AS blocked,
       count(*) FILTER (WHERE b.state = 'queued') AS queued,
       sum(b.past - b.first - b.done - b.skipped - b.failed - b.cancelled)::BIGINT AS actions,
       sum(b.bytes - b.bytes_done)::BIGINT AS bytes, max(b.cancel_reason) AS "cancelReason",
       coalesce(list(u.number ORDER BY u.number) FILTER (WHERE u.number IS NOT NULL), [])
         AS unsettled, max(u.expires_at) AS expires_at
     FROM batches AS b JOIN runs AS r USING (run_key)
     LEFT JOIN (
       SELECT e.run_key, e.number, max(m.expires_at) AS expires_at
       FROM permits AS m JOIN batches AS e ON e.run_key = m.run_key
         AND m.sequence >= e.first AND m.sequence < e.past
       WHERE m.state = 'unknown' GROUP BY e.run_key, e.number) AS u USING (run_key, number)
     LEFT JOIN backends AS s ON s.backend_id = b.source
     LEFT JOIN backends AS t ON t.backend_id = b.target
     LEFT JOIN backends AS v ON v.backend_id = b.victim
     WHERE r.ended_at IS NULL AND b.state <> 'done' AND ($1::VARCHAR IS NULL OR r.run_id = $1)
     GROUP BY r.run_key, r.run_id, b.lane, b.policy, b.verb, b.source, b.target, b.victim
     ORDER BY r.run_key, min(b.number)`,
    [runId ?? null],
  );
  return rows.map(({ expires_at: expiresAt, ...group }) => ({
    ...group,
    settledAt:
      expiresAt === null
        ? null
        : new Date(expiresAt.getTime() + permitMarginMs(clockSkewMs)).toISOString(),
  }));
}

interface Expiring extends SqlRow {
  readonly expires_at: Date | null;
}

/** The actions about an object that are open, failed or were cancelled, the newest run first. */
export async function actionsOf(
  connection: Connection,
  objectId: number,
): Promise<readonly ActionStanding[]> {
  return await connection.rows<ActionStanding & SqlRow>(
    `SELECT r.run_id AS "runId", p.sequence, b.number AS batch, p.verb, p.rule, s.name AS source,
       t.name AS target, v.name AS victim,
       coalesce(e.outcome::VARCHAR, b.state) AS state,
       CASE WHEN e.outcome IS NULL THEN '' ELSE concat_ws(': ', e.code, e.message) END AS message
     FROM (FROM plan_actions WHERE object_id = $1) AS p
     JOIN runs AS r ON r.plan_key = p.plan_key
     JOIN batches AS b ON b.run_key = r.run_key AND p.sequence >= b.first AND p.sequence < b.past
     LEFT JOIN outcomes AS e ON e.run_key = r.run_key AND e.sequence = p.sequence
     LEFT JOIN backends AS s ON s.backend_id = p.source
     LEFT JOIN backends AS t ON t.backend_id = p.target
     LEFT JOIN backends AS v ON v.backend_id = p.victim
     ORDER BY r.run_key DESC, p.sequence LIMIT ${actionsMax}`,
    [objectId],
  );
}
