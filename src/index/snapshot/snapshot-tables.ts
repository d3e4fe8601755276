import type { SnapshotFamily } from "#model/index-snapshot.ts";
import type { ReadSession, SqlRow } from "#model/sql.ts";

/** One table of a snapshot: columns of a table of the index that belong to one family. */
export interface SnapshotTable {
  readonly family: SnapshotFamily;
  /** Table of the index; several families may hold columns of one. */
  readonly table: string;
  /** Rows go into parts by this column; without it all are in one part. */
  readonly key: string | undefined;
  /** A part holds so many values of the key. */
  readonly width: number;
  /**
   * Columns that name a row and order its part, so that the same rows give the same bytes; none
   * when only all columns together do.
   */
  readonly order: readonly string[];
  readonly columns: readonly (readonly [name: string, type: string])[];
}

/** Objects and entries of the ledger in one part; DuckDB keeps so many rows in a group. */
export const defaultPartRows = 122_880;

const runsInPart = 16;

const heatColumns: ReadonlySet<string> = new Set(["accessed", "reads", "heat_weight"]);

// With them what keeps copies from being removed: it changes oftener than what an object is.
const copyColumns: ReadonlySet<string> = new Set([
  "held",
  "moved",
  "tombstoned",
  "present_mask",
  "listed_mask",
  "sampled_mask",
  "verified_mask",
  "in_flight_mask",
  "oldest_verified",
  "nearest_expiry",
]);

type Placement = Pick<SnapshotTable, "family" | "key"> & { readonly order?: readonly string[] };

const byObject = { key: "object_id" } as const;

/** Tables that are large, or that people read; every other one is state, and in one part. */
const placements: Readonly<Record<string, Placement>> = {
  further_names: { family: "identity", ...byObject },
  tags: { family: "identity", ...byObject },
  holds: { family: "identity", ...byObject },
  access_days: { family: "heat", ...byObject },
  access_logs: { family: "heat", key: undefined, order: ["log_id"] },
  copies: { family: "copies", ...byObject, order: ["object_id", "backend_id"] },
  storage_locks: { family: "copies", ...byObject, order: ["object_id", "backend_id"] },
  leases: { family: "copies", ...byObject },
  ledger_entries: { family: "ledger", key: "entry_id", order: ["entry_id"] },
  recovered_entries: { family: "ledger", key: "entry_id", order: ["entry_id"] },
  plan_actions: { family: "state", key: "plan_key", order: ["plan_key", "sequence"] },
  outcomes: { family: "state", key: "run_key", order: ["run_key", "sequence"] },
  permits: { family: "state", key: "run_key" },
  action_costs: { family: "state", key: "run_key", order: ["run_key", "sequence"] },
};

/**
 * Every table of the index, objects by family. A table or column that nobody placed is part of
 * the snapshot all the same: nothing can be forgotten when the schema grows.
 */
export async function snapshotTables(
  session: ReadSession,
  partRows: number,
): Promise<readonly SnapshotTable[]> {
  const rows = (await session.rows({
    text: `SELECT table_name, column_name, data_type
           FROM duckdb_columns() JOIN duckdb_tables() USING (database_name, table_oid, table_name)
           WHERE database_name = current_database() AND NOT temporary
           ORDER BY table_name, column_index`,
    parameters: [],
  })) as readonly ColumnRow[];
  const columns = new Map<string, (readonly [string, string])[]>();
  for (const { table_name: table, column_name: name, data_type: type } of rows) {
    const list = columns.get(table) ?? [];
    list.push([name, type]);
    columns.set(table, list);
  }
  return [...columns]
    .flatMap(([table, list]) =>
      table === "objects" ? objectTables(list) : otherTable(table, list),
    )
    .map((table) => ({ ...table, width: widthOf(table.key, partRows) }));
}

interface ColumnRow extends SqlRow {
  readonly table_name: string;
  readonly column_name: string;
  readonly data_type: string;
}

type Unsized = Omit<SnapshotTable, "width">;

function objectTables(columns: SnapshotTable["columns"]): readonly Unsized[] {
  return (["identity", "heat", "copies"] as const).map((family) => ({
    family,
    table: "objects",
    key: "object_id",
    order: ["object_id"],
    columns: columns.filter(([name]) => name === "object_id" || familyOf(name) === family),
  }));
}

function familyOf(name: string): SnapshotFamily {
  if (heatColumns.has(name)) return "heat";
  return copyColumns.has(name) ? "copies" : "identity";
}

function otherTable(table: string, columns: SnapshotTable["columns"]): readonly Unsized[] {
  const { family, key, order } = placements[table] ?? { family: "state", key: undefined };
  return [{ family, table, key, order: order ?? [], columns }];
}

function widthOf(key: string | undefined, partRows: number): number {
  return key === "object_id" || key === "entry_id" ? partRows : runsInPart;
}
