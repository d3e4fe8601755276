import { cidText } from "#index/cid-key.ts";
import { type Connection, micros } from "#index/connection.ts";
import { compareListing, type Listing } from "#index/inventories/compare-listing.ts";
import { ListingStage } from "#index/inventories/listing-stage.ts";
import type { ObjectRef, StoredCopy } from "#model/copy.ts";

const askedAtOnce = 32;

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
  await connection.run("CREATE OR REPLACE TEMP TABLE asked (cid BLOB)");
  await compareListing(connection, listing);
  const doubtful = { text: doubtfulCopies, parameters: [listing.backendId, micros(checkedSince)] };
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
  for await (const { rows, columns } of connection.columns(doubtful)) {
    const [cid, size, profile] = columns;
    for (let row = 0; row < rows; row += askedAtOnce) {
      const some = Array.from({ length: Math.min(askedAtOnce, rows - row) }, (_, at) => row + at);
      await Promise.all(
        some.map((at) => ask(cid?.[at] as Uint8Array, Number(size?.[at]), String(profile?.[at]))),
      );
      await connection.appendStage(
        "asked",
        ["BLOB"],
        asked.splice(0).map((one) => [one]),
      );
      yield;
    }
  }
  await stage.flush();
}

const doubtfulCopies = `
  SELECT o.cid, o.size, o.profile
  FROM compared AS d JOIN objects AS o USING (object_id)
  JOIN copies AS c ON c.object_id = d.object_id AND c.backend_id = $1
  WHERE d.kind IN ('lost', 'changed', 'damaged') AND c.checked_at >= make_timestamp($2::BIGINT)
  ORDER BY o.object_id`;

/** What was listed, with what the backend said when it was asked again. */
export const listingAskedAgain = `
  CREATE OR REPLACE TEMP VIEW listing AS
  SELECT * FROM listed ANTI JOIN asked USING (cid)
  UNION ALL FROM found_again`;
