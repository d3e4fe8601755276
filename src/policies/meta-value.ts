import { sql, type SqlFragment } from "#policies/sql-fragment.ts";

/** Over `object o`: the value of its tag `key=value`; null when there is none. */
export function metaValue(key: string): SqlFragment {
  return sql`(select min(substr(t.tag, ${key.length + 2}::BIGINT)) from tag t
    where t.object_id = o.object_id and starts_with(t.tag, ${`${key}=`}::VARCHAR))`;
}
