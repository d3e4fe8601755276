import type { Transaction } from "#index/transaction.ts";
import type { Connection } from "#index/connection.ts";

/** What each summary column is, computed from copies `c` of one object. */
const fromCopies = {
  present_mask: mask("TRUE"),
  listed_mask: mask("c.confidence >= 'listed'::confidence"),
  sampled_mask: mask("c.confidence >= 'sampled'::confidence"),
  verified_mask: mask("c.confidence = 'verified'::confidence"),
  oldest_verified: "min(c.verified_at) FILTER (WHERE c.confidence = 'verified'::confidence)",
  nearest_expiry: "min(c.expires_at)",
} as const;

const columns = Object.keys(fromCopies);

/** Recomputes the copy summaries of the objects that the temporary table `touched` names. */
export async function refreshSummaries(transaction: Transaction, touched: string): Promise<void> {
  await transaction.run(`
    UPDATE objects SET ${columns.map((column) => `${column} = s.${column}`).join(", ")}
    FROM (${summaryQuery(`${touched} AS t`)}) AS s
    WHERE objects.object_id = s.object_id`);
}

/**
 * The same where the temporary table `last_changes` has only copies that were not known before: they
 * are added to the summaries, and nobody looks for the others.
 */
export async function addToSummaries(transaction: Transaction): Promise<void> {
  const sets = columns.map((column) =>
    column.endsWith("_mask")
      ? `${column} = objects.${column} | s.${column}`
      : `${column} = least(objects.${column}, s.${column})`,
  );
  await transaction.run(`
    UPDATE objects SET ${sets.join(", ")}
    FROM (${copySummaries(newCopies)}) AS s
    WHERE objects.object_id = s.object_id`);
}

/** The summaries of objects by a query of all their present copies. */
export function copySummaries(presentCopies: string): string {
  return `SELECT object_id, ${summaryColumns()} FROM (${presentCopies}) AS c GROUP BY object_id`;
}

/** As they become rows of `copies`. */
const newCopies = `
  SELECT object_id, backend_id, confidence::confidence AS confidence,
    CASE WHEN confidence = 'verified' THEN checked_at END AS verified_at,
    NULL::TIMESTAMP AS expires_at
  FROM last_changes WHERE state = 'present' AND locator IS NOT NULL`;

/** A summary that does not agree with the detail it sums up. */
export interface SummaryDifference {
  readonly what: string;
  readonly id: number;
  readonly stored: unknown;
  readonly recomputed: unknown;
}

const differencesMax = 100;

/** Recomputes every maintained figure from detail; an empty list means all agree. */
export async function checkSummaries(
  connection: Connection,
): Promise<readonly SummaryDifference[]> {
  const checks = [
    ...columns.map((column) => ({
      what: `objects.${column}`,
      detail: `SELECT object_id AS id, ${column} AS value
               FROM (${summaryQuery("objects AS t")})`,
      stored: `SELECT object_id AS id, ${column} AS value FROM objects`,
    })),
    ...otherChecks,
  ];
  const differences: SummaryDifference[] = [];
  for (const { what, detail, stored } of checks) {
    const rows = await connection.rows<{ id: number; stored: unknown; recomputed: unknown }>(
      `SELECT coalesce(s.id, d.id) AS id, s.value AS stored, d.value AS recomputed
       FROM (${stored}) AS s FULL JOIN (${detail}) AS d ON s.id = d.id
       WHERE s.value IS DISTINCT FROM d.value ORDER BY 1 LIMIT ${differencesMax}`,
    );
    differences.push(...rows.map((row) => ({ what, ...row })));
  }
  return differences;
}

function summaryQuery(from: string): string {
  return `SELECT t.object_id, ${summaryColumns()}
    FROM ${from} LEFT JOIN copies AS c ON c.object_id = t.object_id AND c.state = 'present'::copy_state
    GROUP BY t.object_id`;
}

function summaryColumns(): string {
  const list = Object.entries(fromCopies).map(([column, value]) => `${value} AS ${column}`);
  return list.join(", ");
}

function mask(condition: string): string {
  return `coalesce(bit_or(1::BIGINT << c.backend_id)
    FILTER (WHERE c.object_id IS NOT NULL AND ${condition}), 0::BIGINT)`;
}

const otherChecks = [
  {
    what: "objects.names",
    stored: "SELECT object_id AS id, names AS value FROM objects",
    detail: `SELECT o.object_id AS id, (count(n.path))::INTEGER AS value
             FROM objects AS o LEFT JOIN name AS n USING (object_id) GROUP BY ALL`,
  },
  {
    what: "objects.reads",
    stored: "SELECT object_id AS id, reads AS value FROM objects",
    detail: `SELECT o.object_id AS id, coalesce(sum(a.reads), 0)::BIGINT AS value
             FROM objects AS o LEFT JOIN access_days AS a USING (object_id) GROUP BY ALL`,
  },
  {
    what: "objects.held",
    stored: "SELECT object_id AS id, held AS value FROM objects",
    detail: `SELECT object_id AS id, object_id IN (SELECT object_id FROM holds) AS value
             FROM objects`,
  },
  {
    what: "objects.in_flight_mask",
    stored: "SELECT object_id AS id, in_flight_mask AS value FROM objects",
    detail: `SELECT o.object_id AS id, coalesce(bit_or(1::BIGINT << a.target)
               FILTER (WHERE a.target IS NOT NULL), 0::BIGINT) AS value
             FROM objects AS o LEFT JOIN (
               SELECT p.object_id, p.target
               FROM plan_actions AS p JOIN runs AS r USING (plan_key)
               ANTI JOIN outcomes AS e ON e.run_key = r.run_key AND e.sequence = p.sequence
               ANTI JOIN permits AS m ON m.run_key = r.run_key AND m.sequence = p.sequence
               WHERE r.ended_at IS NULL
             ) AS a USING (object_id) GROUP BY ALL`,
  },
  {
    what: "backends.used_bytes",
    stored: "SELECT backend_id AS id, used_bytes AS value FROM backends",
    detail: `SELECT b.backend_id AS id, coalesce(sum(c.bytes), 0)::BIGINT AS value
             FROM backends AS b LEFT JOIN copies AS c
               ON c.backend_id = b.backend_id AND c.state = 'present' GROUP BY ALL`,
  },
  {
    what: "backends.copies",
    stored: "SELECT backend_id AS id, copies AS value FROM backends",
    detail: `SELECT b.backend_id AS id, count(c.object_id) AS value
             FROM backends AS b LEFT JOIN copies AS c
               ON c.backend_id = b.backend_id AND c.state = 'present' GROUP BY ALL`,
  },
] as const;
