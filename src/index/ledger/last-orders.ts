/**
 * The last order about one object, backend, run, policy, or what else can be paused, among entries
 * of the ledger.
 */
export interface LedgerOrder {
  readonly entry: number;
  readonly kind: "hold" | "cordon" | "run" | "control" | "suspension";
  /**
   * `released`, `cordoned`, `uncordoned`, or why an object is held; `cancelled` or `ended` of a
   * run; `paused backend hot`, `resumed everything`; the name of a policy that is suspended.
   */
  readonly reason: string | null;
  readonly cid: string | null;
  readonly backend: string | null;
  readonly run: string | null;
  /** `done` where a suspension began, `cancelled` where it ended. */
  readonly outcome: string | null;
  readonly actor: string | null;
  readonly note: string | null;
}

/**
 * A statement for these orders among the entries that `audit export` or `recovered_entries` have,
 * those after the entry $1, in their order.
 */
export function lastOrders(source: string): string {
  return `
    SELECT entry, kind, reason::VARCHAR AS reason, cid::VARCHAR AS cid,
      backend::VARCHAR AS backend, run::VARCHAR AS run, outcome::VARCHAR AS outcome, actor::VARCHAR AS actor, note::VARCHAR AS note
    FROM ${source}
    WHERE entry > $1 AND (kind IN ('hold', 'cordon', 'suspension')
      OR kind = 'run' AND reason::VARCHAR IN ('cancelled', 'ended')
      OR kind = 'control' AND regexp_matches(reason::VARCHAR, '^(paused|resumed) '))
    QUALIFY row_number() OVER (
      PARTITION BY kind, CASE kind WHEN 'hold' THEN cid::VARCHAR WHEN 'cordon' THEN backend::VARCHAR
        WHEN 'run' THEN run::VARCHAR WHEN 'suspension' THEN reason::VARCHAR
        ELSE regexp_replace(reason::VARCHAR, '^\\w+ ', '') END ORDER BY entry DESC) = 1
    ORDER BY entry`;
}
