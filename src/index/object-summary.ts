import { cidText } from "#index/cid-key.ts";
import type { Connection } from "#index/connection.ts";
import { heatSettings } from "#index/heat-settings.ts";
import type { ObjectSummary } from "#model/engine-api.ts";
import type { SqlRow } from "#model/sql.ts";

/** Turns rows of the view `object` into summaries for a moment. */
export type Summarise = (row: SummaryRow) => ObjectSummary;

type Mask = number | bigint;

/** What a summary needs of the view `object`. */
export interface SummaryRow extends SqlRow {
  readonly object_id: number;
  readonly cid: Uint8Array;
  readonly size: number;
  readonly path: string | null;
  readonly names: number;
  readonly type: string | null;
  readonly collection: string | null;
  readonly owner: string | null;
  readonly accessed: Date | null;
  readonly heat_weight: number;
  readonly present_mask: Mask;
  readonly verified_mask: Mask;
  readonly held: boolean;
}

/** Reads the names of backends and the heat settings once, for any number of rows. */
export async function summariser(connection: Connection, now: Date): Promise<Summarise> {
  const { landmark, halfLifeMs } = await heatSettings(connection);
  // Forward decay: what a read adds up to now, from the weight against the landmark.
  const factor = 2 ** ((landmark.getTime() - now.getTime()) / halfLifeMs);
  const holders = holderNames(await backendNames(connection));
  return (row) => ({
    objectId: row.object_id,
    cid: cidText(row.cid),
    size: row.size,
    path: row.path ?? undefined,
    nameCount: row.names,
    type: row.type ?? undefined,
    collection: row.collection ?? undefined,
    owner: row.owner ?? undefined,
    heat: row.heat_weight * factor,
    accessed: row.accessed?.toISOString(),
    backends: holders(row.present_mask),
    verified: holders(row.verified_mask).length,
    held: row.held,
  });
}

/** Masks whose names are remembered: many objects share few masks. */
const masksMax = 10_000;

function holderNames(names: ReadonlyMap<number, string>): (mask: Mask) => readonly string[] {
  const known = new Map<Mask, readonly string[]>();
  return (mask) => {
    const found = known.get(mask);
    if (found !== undefined) return found;
    const list = [...names]
      .filter(([id]) => (BigInt(mask) & (1n << BigInt(id))) !== 0n)
      .map(([, name]) => name);
    if (known.size >= masksMax) known.clear();
    known.set(mask, list);
    return list;
  };
}

async function backendNames(connection: Connection): Promise<ReadonlyMap<number, string>> {
  const rows = await connection.rows<{ backend_id: number; name: string }>(
    "SELECT backend_id, name FROM backends ORDER BY backend_id",
  );
  return new Map(rows.map((row) => [row.backend_id, row.name]));
}
