import type { Parameter, SqlContext } from "#policies/attribute-definition.ts";
import { compileCondition, compileValue } from "#policies/expression/compile-expression.ts";
import { type Expression, readsName } from "#policies/expression/expression.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** What says which objects follow each other in time: by which text, and which of them count. */
export const seriesParameters: readonly Parameter[] = [
  { name: "of the same", kind: "key", optional: true },
  { name: "among", kind: "condition", of: "objects", optional: true },
];

/** Objects that follow each other in time, such as the versions of a file. */
export interface Series {
  /** SQL of a table with `object_id`, `created`, `size` and `key` of all objects that count. */
  readonly rows: SqlFragment;
  /** The key of the object in question; null when it is in no series. */
  readonly key: SqlFragment;
  /** Whether the object in question counts: it has copies, and is among those meant; never null. */
  readonly counts: SqlFragment;
}

/**
 * The series that arguments ask for: objects with copies, of the same collection unless they name
 * another attribute. Within, `o` is another object, so that the table stands by itself.
 */
export function seriesOf(context: SqlContext, values: readonly Expression[]): Series {
  const key = values.find(({ type }) => type.kind === "text");
  const among = values.find(({ type }) => type.kind === "boolean");
  const each: SqlContext = { ...context, path: trusted("o.path") };
  const counts = (at: SqlContext) => {
    const condition = among === undefined ? trusted("true") : compileCondition(among, at);
    return sql`(o.present_mask <> 0 AND ${condition})`;
  };
  return {
    rows: sql`(SELECT o.object_id, o.created, o.size, ${keyOf(key, each)} AS key
      FROM object o WHERE ${counts(each)})`,
    key: keyOf(key, context),
    counts: counts(context),
  };
}

/** Names are names within a collection: the same path in another one is another thing. */
function keyOf(key: Expression | undefined, context: SqlContext): SqlFragment {
  if (key === undefined) return trusted("o.collection");
  const value = compileValue(key, context);
  if (!readsName(key)) return value;
  return sql`(coalesce(length(o.collection) || ':' || o.collection, '') || ${value})`;
}
