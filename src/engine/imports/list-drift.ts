import { cidColumn } from "#engine/cid-column.ts";
import type { EngineContext } from "#engine/context.ts";
import { presentValues } from "#engine/present-values.ts";
import { writeRowFile } from "#engine/write-row-file.ts";
import { EngineError } from "#model/engine-error.ts";
import type {
  DriftEntry,
  DriftExportRequest,
  DriftRequest,
  InventoryReport,
} from "#model/inventory.ts";
import type { RowFile } from "#model/row-file.ts";
import type { SqlRow } from "#model/sql.ts";
import { sql, type SqlFragment, toStatement, trusted } from "#policies/sql-fragment.ts";
import { unknownBackend } from "#model/unknown-backend.ts";

/** What asking for differences needs of the engine. */
export type DriftSource = Pick<EngineContext, "index" | "pool">;

/** The newest inventory of each backend that has one. */
export async function lastInventories({
  index,
}: Pick<EngineContext, "index">): Promise<readonly InventoryReport[]> {
  await using session = await index.session();
  const rows = (await session.rows({ text: newest, parameters: [] })) as readonly InventoryRow[];
  return rows.map(({ begun_at: begunAt, ended_at: endedAt, ...figures }) => ({
    ...figures,
    begunAt: begunAt.toISOString(),
    endedAt: endedAt.toISOString(),
  }));
}

/** What the newest inventories found different from the index, in pieces. */
export async function* listDrift(
  source: DriftSource,
  request: DriftRequest,
): AsyncGenerator<readonly DriftEntry[]> {
  await requireInventory(source, request.backend);
  await using session = await source.index.session();
  const selection = selectionOf(request, trusted("d.cid"));
  for await (const batch of session.columns(toStatement(selection))) {
    yield Array.from(
      { length: batch.rows },
      (_, row) => presentValues(batch, row) as unknown as DriftEntry,
    );
  }
}

/** The same, written to a file. */
export async function exportDrift(
  source: DriftSource,
  { file, ...request }: DriftExportRequest,
): Promise<RowFile> {
  await requireInventory(source, request.backend);
  await using session = await source.index.session();
  const selection = selectionOf(request, cidColumn("d.cid"));
  return await writeRowFile(session, toStatement(selection), file);
}

interface InventoryRow extends SqlRow {
  readonly backend: string;
  readonly source: string;
  readonly begun_at: Date;
  readonly ended_at: Date;
  readonly listed: number;
  readonly confirmed: number;
  readonly lost: number;
  readonly unexpected: number;
  readonly changed: number;
  readonly foreign: number;
}

const newest = `
  SELECT b.name AS backend, i.source, i.begun_at, i.ended_at, i.listed, i.confirmed, i.lost,
    i.unexpected, i.changed, i.foreign_entries AS "foreign"
  FROM inventories AS i JOIN backends AS b USING (backend_id)
  QUALIFY row_number() OVER (PARTITION BY i.backend_id ORDER BY i.inventory_id DESC) = 1
  ORDER BY b.name`;

function selectionOf({ backend, kind, limit }: DriftRequest, cid: SqlFragment): SqlFragment {
  const ofBackend = backend === undefined ? trusted("true") : sql`b.name = ${backend}`;
  const ofKind = kind === undefined ? trusted("true") : sql`d.kind = ${kind}`;
  const all = sql`SELECT b.name AS backend, d.kind, d.detail, ${cid} AS cid, o.path, d.locator,
      d.form, d.bytes, d.believed_bytes AS "believedBytes"
    FROM differences AS d JOIN backends AS b USING (backend_id)
    LEFT JOIN objects AS o ON o.object_id = d.object_id
    WHERE ${ofBackend} AND ${ofKind}
      AND d.inventory_id IN (SELECT max(inventory_id) FROM inventories GROUP BY backend_id)
    ORDER BY b.name, d.kind, d.object_id, d.locator`;
  return limit === undefined ? all : sql`${all} LIMIT ${limit}`;
}

/** That nothing differs is only known where somebody has looked. */
async function requireInventory(
  { index, pool }: DriftSource,
  backend: string | undefined,
): Promise<void> {
  if (backend !== undefined && !pool.names.includes(backend)) {
    throw unknownBackend(backend, pool.names);
  }
  const taken = await lastInventories({ index });
  if (taken.some((one) => backend === undefined || one.backend === backend)) return;
  const which = backend === undefined ? "any backend" : backend;
  throw new EngineError("NOT_FOUND", `no inventory of ${which} has been taken yet`, {
    hint: `thermocline import inventory ${backend ?? pool.names[0] ?? "BACKEND"}`,
  });
}
