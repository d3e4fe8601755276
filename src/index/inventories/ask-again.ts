import { cidText } from "#index/cid-key.ts";
import { type Connection, micros } from "#index/connection.ts";
import { compareListing, type Listing } from "#index/inventories/compare-listing.ts";
import { ListingStage } from "#index/inventories/listing-stage.ts";
import type { ObjectRef, StoredCopy } from "#model/copy.ts";
import type { SqlRow } from "#model/sql.ts";

const askedAtOnce = 32;
const pageRows = 10_000;

/** Looks for one copy at the backend itself, now. */
export type Look = (object: ObjectRef) => Promise<StoredCopy | undefined>;

/**
 * Before a copy is called lost or changed that was checked so lately that the listing may be the
 * older of the two, the backend itself is asked; what it says takes the place of what was
 * listed. Yields now and then.
 */
export async function* askAgain(
  connection: Connection,
  listing: Listing,
  checkedSince: Date,
  look: Look,
): AsyncGenerator<void> {
  const checked = [listing.backendId, micros(checkedSince)];
  const { lately } = await connection.row<{ lately: number }>(copiesChecked, checked);
  if (lately === 0) return;
  await connection.run("CREATE OR REPLACE TEMP TABLE asked (cid BLOB)");
  await compareListing(connection, listing);
  const { entries } = await connection.row<{ entries: number }>(
    "SELECT coalesce(max(position), -1) + 1 AS entries FROM listing",
  );
  const stage = await ListingStage.begin(connection, "found_again", entries);
  const asked: Uint8Array[] = [];
  const ask = async (cid: Uint8Array, size: number, profile: string): Promise<void> => {
    const copy = await look({ cid: cidText(cid), size, profile });
    asked.push(cid);
    if (copy !== undefined) await stage.add({ cid: cidText(cid), copy, size: undefined });
  };
  // A page at a time: what is staged between would end a stream.
  let after = -1;
  for (;;) {
    const page = await connection.rows<Doubtful>(doubtfulCopies, [...checked, after]);
    for (let at = 0; at < page.length; at += askedAtOnce) {
      const some = page.slice(at, at + askedAtOnce);
      await Promise.all(some.map(({ cid, size, profile }) => ask(cid, size, profile)));
      await connection.appendStage(
        "asked",
        ["BLOB"],
        asked.splice(0).map((one) => [one]),
      );
      yield;
    }
    after = page.at(-1)?.object_id ?? after;
    if (page.length < pageRows) break;
  }
  await stage.flush();
  if (after >= 0) await connection.run(listingAskedAgain);
}

interface Doubtful extends SqlRow {
  readonly object_id: number;
  readonly cid: Uint8Array;
  readonly size: number;
  readonly profile: string;
}

const copiesChecked = `
  SELECT count(*) AS lately FROM copies
  WHERE backend_id = $1 AND checked_at >= make_timestamp($2::BIGINT)`;

const doubtfulCopies = `
  SELECT o.object_id, o.cid, o.size, o.profile
  FROM compared AS d JOIN objects AS o USING (object_id)
  JOIN copies AS c ON c.object_id = d.object_id AND c.backend_id = $1
  WHERE d.kind IN ('lost', 'changed', 'damaged') AND c.checked_at >= make_timestamp($2::BIGINT)
    AND o.object_id > $3
  ORDER BY o.object_id LIMIT ${pageRows}`;

/** What was listed, with what the backend said when it was asked again. */
const listingAskedAgain = `
  CREATE OR REPLACE TEMP VIEW listing AS
  SELECT * FROM listed ANTI JOIN asked USING (cid)
  UNION ALL FROM found_again`;
