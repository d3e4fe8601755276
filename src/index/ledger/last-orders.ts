/** The last order about one object or backend among entries of the ledger. */
export interface LedgerOrder {
  readonly entry: number;
  readonly kind: "hold" | "cordon";
  /** `released`, `cordoned`, `uncordoned`, or why an object is held. */
  readonly reason: string | null;
  readonly cid: string | null;
  readonly backend: string | null;
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
      backend::VARCHAR AS backend, actor::VARCHAR AS actor, note::VARCHAR AS note
    FROM ${source}
    WHERE entry > $1 AND kind IN ('hold', 'cordon')
    QUALIFY row_number() OVER (
      PARTITION BY kind, CASE kind WHEN 'hold' THEN cid ELSE backend END ORDER BY entry DESC) = 1
    ORDER BY entry`;
}
