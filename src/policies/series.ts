import type { Parameter, SqlContext } from "#policies/attribute-definition.ts";
import { compileCondition, compileValue } from "#policies/expression/compile-expression.ts";
import { type Expression, readsName } from "#policies/expression/expression.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** What says which objects follow each other in time: by which text, and which of them count. */
export const seriesParameters: readonly Parameter[] = [
  { name: "of the same", kind: "key", optional: true },
  { name: "among", kind: "condition", of: "objects", optional: true },
];

/** Objects that follow each other in time, such as the versions of a file. */
export interface Series {
  /** SQL of a table with `object_id`, `created`, `size` and `key` of all objects that count. */
  readonly rows: SqlFragment;
  /** SQL of a table with `key` and `came`: each time at which something new came to a series. */
  readonly events: SqlFragment;
  /** When the object in question came to its series; `created` of its row. */
  readonly came: SqlFragment;
  /** The key of the object in question; null when it is in no series. */
  readonly key: SqlFragment;
  /** Whether the object in question counts: it has copies, and is among those meant; never null. */
  readonly counts: SqlFragment;
  /**
   * Whether it is known when the object in question came; never null. One without a time is in no
   * row and no event: it stands beside the dated ones, and counts as current.
   */
  readonly isDated: SqlFragment;
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
  const ofName = key !== undefined && readsName(key);
  // A time that is a guess says nothing of which came first.
  const isDated = trusted(datedBy(key));
  const came = trusted(isPath(key) ? cameUnderPath : "o.created");
  const row = (at: SqlFragment) => sql`SELECT o.object_id, ${at} AS created, o.size,
    ${keyOf(key, each)} AS key FROM object o WHERE ${isDated} AND ${counts(each)}`;
  const times = isPath(key)
    ? [
        "CASE WHEN o.guessed IS NULL THEN o.created END",
        "o.named",
        // What a list told of came under its name before the index knew it.
        "CASE WHEN o.named >= o.ingested AND o.guessed IS NULL THEN o.ingested END",
      ]
    : ["o.created"];
  const events = times.map(
    (at) => sql`SELECT key, created AS came FROM (${row(trusted(at))}) WHERE created IS NOT NULL`,
  );
  return {
    rows: sql`(${row(came)})`,
    events: sql`(${joinFragments(events, " UNION ")})`,
    came,
    key: keyOf(key, context),
    // Which of its names an object came back under is not known.
    counts: ofName ? sql`(o.names <= 1 AND ${counts(context)})` : counts(context),
    isDated,
  };
}

function datedBy(key: Expression | undefined): string {
  if (isPath(key)) return "(o.guessed IS NULL OR o.named IS NOT NULL)";
  const byName = key !== undefined && readsName(key);
  return byName ? "o.guessed IS NULL" : "o.guessed IS DISTINCT FROM 'created'";
}

const cameUnderPath =
  "CASE WHEN o.guessed IS NULL THEN greatest(o.created, o.named) ELSE o.named END";

/** Versions of a file: old content that comes back under its name is the newest of them. */
function isPath(key: Expression | undefined): boolean {
  return key?.kind === "attribute" && key.definition.name === "path";
}

/** Names are names within a collection: the same path in another one is another thing. */
function keyOf(key: Expression | undefined, context: SqlContext): SqlFragment {
  if (key === undefined) return trusted("o.collection");
  const value = compileValue(key, context);
  if (!readsName(key)) return value;
  return sql`(coalesce(length(o.collection) || ':' || o.collection, '') || ${value})`;
}
