import { tryCidKey } from "#index/cid-key.ts";
import type { Connection, StageValue } from "#index/connection.ts";
import { micros } from "#index/micros.ts";
import { sqlLiteral } from "#index/sql-literal.ts";
import type { ManifestRequest } from "#model/object-manifest.ts";

/** What holds for every row of a manifest. */
export interface ManifestDefaults extends Pick<
  ManifestRequest,
  "backend" | "collection" | "owner" | "tags" | "prefix"
> {
  /** Names of the profiles that there are. */
  readonly profiles: readonly string[];
}

/**
 * From the rows in `file_rows` makes the tables that `mergeStaged` takes: `put_objects`,
 * `put_names`, `put_tags` and `put_copies`; and `row_problems` with `position, problem`.
 */
export async function stageManifestPiece(
  connection: Connection,
  { profiles, ...defaults }: ManifestDefaults,
  now: Date,
): Promise<void> {
  const backends = await connection.rows<{ name: string }>(
    "SELECT name FROM backends WHERE configured ORDER BY name",
  );
  const known = backends.map(({ name }) => name);
  await connection.run(readRows(known, profiles), [defaults.backend ?? null]);
  await stageCids(connection);
  await connection.run(problems);
  await connection.run(objects, [defaults.collection ?? null, defaults.owner ?? null]);
  await connection.run(names, [(defaults.prefix ?? "").replace(/\/+$/, "")]);
  await connection.run(tags, [JSON.stringify(defaults.tags ?? [])]);
  await connection.run(copies, [micros(now)]);
}

/** CIDs in their binary form: the only cells that this thread looks at. */
async function stageCids(connection: Connection): Promise<void> {
  const columns = { position: "BIGINT", cid_key: "BIGINT", cid: "BLOB" } as const;
  await connection.stage("manifest_cids", columns, []);
  const statement = {
    text: "SELECT position, cid FROM manifest_rows WHERE problem IS NULL",
    parameters: [],
  };
  const pieces = await Array.fromAsync(connection.columns(statement));
  for (const { rows, columns: found } of pieces) {
    const [position, cid] = found;
    const staged: StageValue[][] = [];
    for (let row = 0; row < rows; row += 1) {
      const key = tryCidKey(String(cid?.[row]));
      if (key !== undefined) staged.push([position?.[row] as number, key.key, key.bytes]);
    }
    await connection.appendStage("manifest_cids", Object.values(columns), staged);
  }
}

const wholeNumber = String.raw`'[0-9]{1,18}(\.0+)?'`;
/** A pebibyte. Nothing that is one file is larger, and sums of sizes beyond fit in no BIGINT. */
const sizeMax = 2 ** 50;

/** The cells as what they mean; `problem` says why a row means nothing. */
function readRows(backends: readonly string[], profiles: readonly string[]): string {
  return `
    CREATE OR REPLACE TEMP TABLE manifest_rows AS
    SELECT *, coalesce(trouble, CASE
      WHEN cid IS NULL THEN 'it has no cid'
      WHEN size_text IS NULL THEN 'it has no size'
      WHEN size IS NULL THEN 'its size is no whole number of bytes'
      WHEN size > ${sizeMax} THEN 'its size is more than a pebibyte'
      WHEN created IS NULL AND created_text IS NOT NULL THEN 'created is no time (ISO 8601)'
      WHEN modified IS NULL AND modified_text IS NOT NULL THEN 'modified is no time (ISO 8601)'
      WHEN profile NOT IN (${list(profiles)}) THEN 'there is no profile ' || profile
      WHEN backend NOT IN (${list(backends)}) THEN 'there is no backend ' || backend
      WHEN form NOT IN ('dag', 'car', 'file') THEN 'there is no form ' || form
      WHEN bytes IS NULL AND bytes_text IS NOT NULL THEN 'bytes is no whole number'
      WHEN bytes > ${sizeMax} THEN 'bytes is more than a pebibyte'
      END) AS problem
    FROM (
      SELECT position, text, problem AS trouble, cid, path, type, collection, owner, tags, profile,
        locator, form, coalesce(backend, $1::VARCHAR) AS backend,
        size AS size_text, ${integer("size")} AS size,
        bytes AS bytes_text, ${integer("bytes")} AS bytes,
        created AS created_text, TRY_CAST(created AS TIMESTAMP) AS created,
        modified AS modified_text, TRY_CAST(modified AS TIMESTAMP) AS modified
      FROM file_rows
    )`;
}

function list(values: readonly string[]): string {
  return values.map(sqlLiteral).join(", ") || "''";
}

function integer(column: string): string {
  return `CASE WHEN regexp_full_match(${column}, ${wholeNumber})
    THEN TRY_CAST(${column} AS BIGINT) END`;
}

const problems = `
  CREATE OR REPLACE TEMP TABLE row_problems AS
  SELECT position, coalesce(problem, '"' || left(r.cid, 100) || '" is not a CID') AS problem
  FROM manifest_rows AS r ANTI JOIN manifest_cids USING (position)`;

// As in an inventory: the CID tells what it is most likely made by. A verification will tell.
const objects = `
  CREATE OR REPLACE TEMP TABLE put_objects AS
  SELECT position, c.cid_key, c.cid, r.size,
    coalesce(r.profile, CASE WHEN octet_length(c.cid) = 34 THEN 'unixfs-v0-2015'
      WHEN hex(c.cid[2:2]) = '55' THEN 'raw-sha256' ELSE 'unixfs-v1-2025' END) AS profile,
    r.type, coalesce(r.collection, $1::VARCHAR) AS collection,
    coalesce(r.owner, $2::VARCHAR) AS owner, r.created, r.modified
  FROM manifest_rows AS r JOIN manifest_cids AS c USING (position)`;

const names = `
  CREATE OR REPLACE TEMP TABLE put_names AS
  SELECT position, position AS rank, $1::VARCHAR || '/' || ltrim(path, '/') AS path
  FROM manifest_rows SEMI JOIN manifest_cids USING (position) WHERE path IS NOT NULL`;

const tags = `
  CREATE OR REPLACE TEMP TABLE put_tags AS
  SELECT position, trim(tag) AS tag FROM (
    SELECT position, unnest(CASE WHEN json_valid(tags) AND json_type(tags) = 'ARRAY'
      THEN json_extract_string(tags, '$[*]') ELSE string_split(tags, ';') END) AS tag
    FROM manifest_rows SEMI JOIN manifest_cids USING (position) WHERE tags IS NOT NULL
    UNION ALL
    SELECT position, unnest(json_extract_string($1::VARCHAR, '$[*]')) FROM manifest_cids
  ) WHERE trim(tag) <> ''`;

// That a backend holds a copy is only said here. Of what the index knows by itself, nothing is
// changed by it: above all a copy that was found lost does not come back.
const copies = `
  CREATE OR REPLACE TEMP TABLE put_copies AS
  SELECT r.position, r.position AS object_id, b.backend_id,
    'present' AS state, 'claimed' AS confidence, make_timestamp($1::BIGINT) AS checked_at,
    coalesce(r.form, CASE WHEN json_contains(b.capabilities, '{"forms": ["file"]}') THEN 'file'
      ELSE json_extract_string(b.capabilities, '$.forms[0]') END) AS form,
    coalesce(r.locator, r.cid) AS locator, coalesce(r.bytes, r.size) AS bytes
  FROM manifest_rows AS r SEMI JOIN manifest_cids USING (position)
  JOIN backends AS b ON b.name = r.backend AND b.configured`;
