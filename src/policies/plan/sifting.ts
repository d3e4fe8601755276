import { type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * The rows of a table that names some objects, all of them, as what `object` is joined with. DuckDB
 * makes a Bloom filter of ids, and reads the other columns only of objects that pass it, if the side
 * that it makes it of has a filter: this one keeps every row, and DuckDB does not know that.
 * The join is a LEFT JOIN of these rows: ids of an inner one that lie close together are
 * looked up in an array, which every object is then read for.
 */
export function sifting(table: string): SqlFragment {
  return trusted(`(SELECT * FROM ${table} WHERE bit_count(object_id) >= 0)`);
}
