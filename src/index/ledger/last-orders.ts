/**
 * The last order about one object, backend, run, policy, or what else can be paused, among entries
 * of the ledger; and what actions of runs were cancelled, as ranges.
 */
export interface LedgerOrder {
  readonly entry: number;
  readonly kind:
    | "hold"
    | "cordon"
    | "run"
    | "control"
    | "suspension"
    | "schedule"
    | "cancelled-actions";
  /**
   * `released`, `cordoned`, `uncordoned`, or why an object is held; `cancelled` or `ended` of a
   * run; `paused backend hot`, `resumed everything`, `cancelled policy cool`; the name of a policy
   * that is suspended; `enabled` or `disabled` of a schedule.
   */
  readonly reason: string | null;
  readonly cid: string | null;
  readonly backend: string | null;
  readonly run: string | null;
  /** `done` where a suspension began, `cancelled` where it ended. */
  readonly outcome: string | null;
  readonly actor: string | null;
  readonly note: string | null;
  /** Of a range, when the last of it was recorded. */
  readonly recorded: Date;
  /** What was recorded with it, as JSON; of a range, `from` and `past`. */
  readonly detail: string | null;
}

/**
 * A statement for these orders among the entries that `audit export` or `recovered_entries` have,
 * those after the entry $1, in their order.
 */
export function lastOrders(source: string): string {
  return `
    WITH later AS (SELECT entry, kind, reason::VARCHAR AS reason, cid::VARCHAR AS cid,
        backend::VARCHAR AS backend, run::VARCHAR AS run, outcome::VARCHAR AS outcome,
        actor::VARCHAR AS actor, note::VARCHAR AS note, recorded::TIMESTAMP AS recorded,
        detail::VARCHAR AS detail, action::BIGINT AS action
      FROM ${source} WHERE entry > $1),
    orders AS (SELECT * EXCLUDE (action) FROM later
      WHERE kind IN ('hold', 'cordon', 'suspension')
        OR kind = 'run' AND reason IN ('cancelled', 'ended')
        OR kind = 'schedule' AND reason IN ('enabled', 'disabled')
        OR kind = 'control'
          AND regexp_matches(reason, '^(paused|resumed|cancelled (policy|backend)) ')
      QUALIFY row_number() OVER (PARTITION BY kind, ${subject} ORDER BY entry DESC) = 1),
    cancelled AS (SELECT run, action, max(entry) AS entry, max(recorded) AS recorded,
        action - row_number() OVER (PARTITION BY run ORDER BY action) AS island
      FROM later WHERE kind = 'outcome' GROUP BY run, action
      HAVING arg_max(outcome, entry) = 'cancelled')
    SELECT * FROM (FROM orders UNION ALL BY NAME
      SELECT max(entry) AS entry, 'cancelled-actions' AS kind, run, max(recorded) AS recorded,
        json_object('from', min(action), 'past', max(action) + 1)::VARCHAR AS detail
      FROM cancelled GROUP BY run, island)
    ORDER BY entry`;
}

/** What an order is about: the last one counts. */
const subject = `CASE kind WHEN 'hold' THEN cid WHEN 'cordon' THEN backend WHEN 'run' THEN run
  WHEN 'suspension' THEN reason
  WHEN 'schedule' THEN json_extract_string(detail, '$.policy')
  WHEN 'control' THEN regexp_replace(reason, '^(paused|resumed) ', '') END`;
