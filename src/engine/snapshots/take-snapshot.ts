import { CID } from "multiformats/cid";
import {
  encodeManifest,
  type ManifestTable,
  sameLayout,
  type SnapshotManifest,
  type SnapshotPart,
} from "#engine/snapshots/snapshot-manifest.ts";
import type { SnapshotStore, StoredSnapshot } from "#engine/snapshots/snapshot-store.ts";
import { summarise } from "#engine/snapshots/summarise.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { defaultPartRows, snapshotTables } from "#index/snapshot/snapshot-tables.ts";
import type { SnapshotTable } from "#index/snapshot/snapshot-tables.ts";
import { partRows, type TablePart, tableParts } from "#index/snapshot/table-parts.ts";
import type { SnapshotReport, SnapshotRequest } from "#model/index-snapshot.ts";
import type { ReadSession } from "#model/sql.ts";

export interface TakeOptions extends SnapshotRequest {
  readonly now: Date;
  /** Objects in one part. */
  readonly partRows?: number;
}

/**
 * Writes one consistent state of the index, beside its writer. A part whose rows are those of
 * the newest snapshot keeps its CID and is not written; when that is so for every part, there is
 * no new snapshot.
 */
export async function takeSnapshot(
  index: ObjectIndex,
  store: SnapshotStore,
  { now, full = false, partRows: rows = defaultPartRows }: TakeOptions,
): Promise<SnapshotReport> {
  await using session = await index.session();
  const about = await aboutIndex(session);
  const kept = await store.kept();
  const parent = kept.find(({ manifest }) => manifest.installation === about.installation);
  const work = { session, store, reuse: full ? undefined : reusable(parent, about.duckdb) };
  const written = { parts: 0, bytes: 0 };
  const tables: ManifestTable[] = [];
  for (const table of await snapshotTables(session, rows)) {
    tables.push(await takeTable(work, table, written));
  }
  if (parent !== undefined && sameTables(parent, { ...about, tables })) {
    return report(parent, true, written);
  }
  const manifest: SnapshotManifest = {
    format: "thermocline-index-snapshot",
    version: 1,
    takenAt: now.toISOString(),
    ...about,
    parent: parent === undefined ? null : CID.parse(parent.cid),
    tables,
  };
  const { cid, bytes } = await store.publish(manifest);
  return report({ cid, manifest }, false, { ...written, bytes: written.bytes + bytes });
}

type About = Pick<SnapshotManifest, "installation" | "commits" | "schema" | "duckdb">;

async function aboutIndex(session: ReadSession): Promise<About> {
  const [row] = await session.rows({
    text: `SELECT commits, (SELECT id FROM installation) AS installation,
             (SELECT max(version) FROM schema_version) AS schema, version() AS duckdb
           FROM counters`,
    parameters: [],
  });
  return row as unknown as About;
}

interface Work {
  readonly session: ReadSession;
  readonly store: SnapshotStore;
  readonly reuse: readonly ManifestTable[] | undefined;
}

interface Written {
  parts: number;
  bytes: number;
}

/** Fingerprints mean something only to the version that made them. */
function reusable(
  parent: StoredSnapshot | undefined,
  duckdb: string,
): readonly ManifestTable[] | undefined {
  return parent?.manifest.duckdb === duckdb ? parent.manifest.tables : undefined;
}

async function takeTable(
  work: Work,
  table: SnapshotTable,
  written: Written,
): Promise<ManifestTable> {
  const layout = {
    family: table.family,
    table: table.table,
    key: table.key ?? null,
    width: table.width,
    order: [...table.order],
    columns: table.columns.map(([name, type]): [string, string] => [name, type]),
  };
  const before = work.reuse?.find((known) => sameLayout(known, layout));
  const known = new Map(before?.parts.map((part) => [part.range, part]));
  const parts: SnapshotPart[] = [];
  for (const part of await tableParts(work.session, table)) {
    const kept = await keptPart(work.store, known.get(part.range), part);
    parts.push(kept ?? (await writePart(work, table, part, written)));
  }
  return { ...layout, parts };
}

async function keptPart(
  store: SnapshotStore,
  known: SnapshotPart | undefined,
  { rows, fingerprint }: TablePart,
): Promise<SnapshotPart | undefined> {
  if (known?.rows !== rows || known.fingerprint !== fingerprint) return undefined;
  return (await store.hasPart(known.cid.toString(), known.bytes)) ? known : undefined;
}

async function writePart(
  { session, store }: Work,
  table: SnapshotTable,
  { range, rows, fingerprint }: TablePart,
  written: Written,
): Promise<SnapshotPart> {
  const statement = partRows(table, range);
  const { cid, bytes } = await store.addPart((path) => session.exportParquet(statement, path));
  written.parts += 1;
  written.bytes += bytes;
  return { range, rows, bytes, cid: CID.parse(cid), fingerprint };
}

/** Whether the same index, taken then and by the same parent, would be the same snapshot. */
function sameTables(
  { cid, manifest }: StoredSnapshot,
  now: About & Pick<SnapshotManifest, "tables">,
): boolean {
  return encodeManifest({ ...manifest, ...now }).cid === cid;
}

function report(snapshot: StoredSnapshot, unchanged: boolean, written: Written): SnapshotReport {
  return {
    ...summarise(snapshot),
    unchanged,
    partsWritten: written.parts,
    bytesWritten: written.bytes,
  };
}
