import { base16Cid } from "#model/base16-cid.ts";
import { type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** A column of binary CIDs as text; see `base16Cid`. */
export function cidColumn(column: "l.cid" | "o.cid" | "d.cid"): SqlFragment {
  return trusted(base16Cid(column));
}
