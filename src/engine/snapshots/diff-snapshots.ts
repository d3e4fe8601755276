import type { ManifestTable } from "#engine/snapshots/snapshot-manifest.ts";
import type { SnapshotStore, StoredSnapshot } from "#engine/snapshots/snapshot-store.ts";
import { verifiedTable } from "#engine/snapshots/verified-table.ts";
import {
  compareTables,
  type CompareOptions,
  type TablePair,
} from "#index/snapshot/compare-tables.ts";
import type { SnapshotDiff, SnapshotDiffRequest } from "#model/index-snapshot.ts";

/** Says table by table how many rows differ. Parts that both share are not read. */
export async function diffSnapshots(
  store: SnapshotStore,
  request: SnapshotDiffRequest,
  options: CompareOptions,
): Promise<SnapshotDiff> {
  const from = await store.find(request.from);
  const to = await store.find(request.to);
  const differing = pairs(from, to).flatMap(({ before, after }) => {
    const shared = sharedParts(before, after);
    const unshared = (table: ManifestTable) =>
      table.parts.filter(({ cid }) => !shared.has(cid.toString()));
    const parts = { before: unshared(before), after: unshared(after) };
    if (parts.before.length === 0 && parts.after.length === 0) return [];
    return [{ before, after, parts }];
  });
  const compared: TablePair[] = [];
  for (const { before, after, parts } of differing) {
    compared.push({
      from: await verifiedTable(store, before, parts.before),
      to: await verifiedTable(store, after, parts.after),
    });
  }
  const changes = await compareTables(compared, options);
  const tables = differing.map(({ after: { family, table, parts: all }, parts }, position) => ({
    family,
    table,
    ...(changes[position] ?? { added: 0, removed: 0, changed: 0 }),
    partsCompared: Math.max(parts.before.length, parts.after.length),
    parts: all.length,
  }));
  return { from: from.cid, to: to.cid, tables };
}

interface ManifestPair {
  readonly before: ManifestTable;
  readonly after: ManifestTable;
}

/** Tables by name; one that only one of them has is compared with nothing. */
function pairs(from: StoredSnapshot, to: StoredSnapshot): readonly ManifestPair[] {
  const before = new Map(from.manifest.tables.map((table) => [nameOf(table), table]));
  const after = new Map(to.manifest.tables.map((table) => [nameOf(table), table]));
  return [...new Set([...before.keys(), ...after.keys()])].toSorted().flatMap((name) => {
    const [a, b] = [before.get(name), after.get(name)];
    const known = b ?? a;
    if (known === undefined) return [];
    const nothing = { ...known, parts: [] };
    return [{ before: a ?? nothing, after: b ?? nothing }];
  });
}

function nameOf({ family, table }: ManifestTable): string {
  return `${family}/${table}`;
}

function sharedParts(before: ManifestTable, after: ManifestTable): ReadonlySet<string> {
  const known = new Set(before.parts.map(({ cid }) => cid.toString()));
  return new Set(after.parts.map(({ cid }) => cid.toString()).filter((cid) => known.has(cid)));
}
