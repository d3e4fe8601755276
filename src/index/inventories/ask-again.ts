import { cidText } from "#index/cid-key.ts";
import { type Connection, micros } from "#index/connection.ts";
import { comparePiece } from "#index/inventories/compare-piece.ts";
import type { Listing } from "#index/inventories/listing.ts";
import type { Range } from "#index/inventories/key-ranges.ts";
import type { KnownRows } from "#index/inventories/known-rows.ts";
import { ListingStage } from "#index/inventories/listing-stage.ts";
import type { ObjectRef, StoredCopy } from "#model/copy.ts";
import type { SqlRow } from "#model/sql.ts";

const askedAtOnce = 32;
const pageRows = 10_000;

/** Looks for one copy at the backend itself, now. */
export type Look = (object: ObjectRef) => Promise<StoredCopy | undefined>;

/** What a backend is asked about. */
export interface Question {
  readonly listing: Listing;
  readonly known: KnownRows;
  /** Those that are compared. */
  readonly ranges: readonly Range[];
  readonly look: Look;
}

/**
 * Before a copy is called lost or changed that was checked so lately that the listing may be the
 * older of the two, the backend itself is asked; what it says takes the place of what was
 * listed. Notes of which copies in the temporary table `asked`. Yields now and then.
 */
export async function* askAgain(
  connection: Connection,
  { listing, known, ranges, look }: Question,
): AsyncGenerator<void> {
  const stage = await ListingStage.begin(connection, "found_again");
  const asked: (readonly [number, Uint8Array])[] = [];
  const ask = async ({ object_id: id, cid, size, profile }: Doubtful): Promise<void> => {
    const copy = await look({ cid: cidText(cid), size, profile });
    asked.push([id, cid]);
    if (copy !== undefined) await stage.add({ cid: cidText(cid), copy, size: undefined });
  };
  const checked = [listing.backendId, micros(listing.doubtSince)];
  let some = false;
  for (const range of ranges) {
    const { lately } = await connection.row<{ lately: boolean }>(copiesChecked, [
      ...checked,
      range.first,
      range.last,
    ]);
    if (!lately) continue;
    const undoubted = { ...listing, doubtSince: listing.asOf };
    await comparePiece(connection, undoubted, await known.piece(range));
    // A page at a time: what is staged between would end a stream.
    let after = -1;
    for (;;) {
      const page = await connection.rows<Doubtful>(doubtfulCopies, [...checked, after]);
      for (let at = 0; at < page.length; at += askedAtOnce) {
        await Promise.all(page.slice(at, at + askedAtOnce).map(ask));
        await connection.appendStage("asked", ["BIGINT", "BLOB"], asked.splice(0));
        yield;
      }
      some ||= page.length > 0;
      after = page.at(-1)?.object_id ?? after;
      if (page.length < pageRows) break;
    }
    yield;
  }
  await stage.flush();
  if (some) await known.replaceAsked();
}

interface Doubtful extends SqlRow {
  readonly object_id: number;
  readonly cid: Uint8Array;
  readonly size: number;
  readonly profile: string;
}

const copiesChecked = `
  SELECT count(*) > 0 AS lately FROM copies
  WHERE backend_id = $1 AND checked_at >= make_timestamp($2::BIGINT)
    AND object_id BETWEEN $3 AND $4`;

const doubtfulCopies = `
  SELECT o.object_id, o.cid, o.size, o.profile
  FROM compared AS d JOIN objects AS o USING (object_id)
  JOIN copies AS c ON c.object_id = d.object_id AND c.backend_id = $1
  WHERE d.kind IN ('lost', 'changed', 'damaged') AND c.checked_at >= make_timestamp($2::BIGINT)
    AND o.object_id > $3
  ORDER BY o.object_id LIMIT ${pageRows}`;
