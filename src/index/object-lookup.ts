import { tryCidKey } from "#index/cid-key.ts";
import { type Connection, micros } from "#index/connection.ts";
import { summariser, type SummaryRow } from "#index/object-summary.ts";
import type { ObjectDetail, ObjectSummary } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { SqlStatement, SqlValue } from "#model/sql.ts";

const historyMax = 50;

/** The id of an object named by CID, path or number. Throws NOT_FOUND. */
export async function findObject(connection: Connection, reference: string): Promise<number> {
  const [row] = await findRows(connection, reference);
  if (row !== undefined) return row.object_id;
  throw new EngineError("NOT_FOUND", `there is no object "${reference}" in the index`, {
    hint: "name it by CID, by a path that begins with /, or by its number",
  });
}

/** Objects that fulfil a condition over the view `object AS o`, in order of arrival. */
export async function listObjects(
  connection: Connection,
  where: SqlStatement,
  limit: number,
  now: Date,
): Promise<readonly ObjectSummary[]> {
  const summarise = await summariser(connection, now);
  const rows = await connection.rows<ObjectRow>(
    `SELECT o.* FROM object AS o WHERE (${where.text})
     ORDER BY o.object_id LIMIT $${where.parameters.length + 1}`,
    [...where.parameters, limit],
  );
  return rows.map(summarise);
}

/** Everything about one object, with its most recent history. */
export async function objectDetail(
  connection: Connection,
  objectId: number,
  now: Date,
): Promise<ObjectDetail> {
  const [summary] = await listObjects(
    connection,
    { text: "o.object_id = $1", parameters: [objectId] },
    1,
    now,
  );
  if (summary === undefined) {
    throw new EngineError("NOT_FOUND", `there is no object ${objectId} in the index`);
  }
  const row = await connection.row<ObjectRow>("FROM object WHERE object_id = $1", [objectId]);
  const names = await connection.rows<{ path: string }>(
    "SELECT path FROM name WHERE object_id = $1 ORDER BY path",
    [objectId],
  );
  const tags = await connection.rows<{ tag: string }>(
    "SELECT tag FROM tag WHERE object_id = $1 ORDER BY tag",
    [objectId],
  );
  return {
    ...summary,
    profile: row.profile,
    names: names.map((name) => name.path),
    tags: tags.map((tag) => tag.tag),
    created: row.created.toISOString(),
    ingested: row.ingested.toISOString(),
    reads: row.reads,
    copies: await copiesOf(connection, objectId, now),
    history: await historyOf(connection, objectId),
  };
}

async function findRows(
  connection: Connection,
  reference: string,
): Promise<readonly { readonly object_id: number }[]> {
  const find = async (text: string, parameters: readonly SqlValue[]) =>
    await connection.rows<{ object_id: number }>(text, parameters);
  if (/^\d{1,15}$/.test(reference)) {
    return await find("SELECT object_id FROM objects WHERE object_id = $1", [Number(reference)]);
  }
  const cid = reference.startsWith("/") ? undefined : tryCidKey(reference);
  if (cid !== undefined) {
    return await find("SELECT object_id FROM objects WHERE cid_key = $1 AND cid = $2", [
      cid.key,
      cid.bytes,
    ]);
  }
  return await find(
    "SELECT max(object_id) AS object_id FROM name WHERE path = $1 HAVING count(*) > 0",
    [reference],
  );
}

interface ObjectRow extends SummaryRow {
  readonly profile: string;
  readonly created: Date;
  readonly ingested: Date;
  readonly reads: number;
}

async function copiesOf(
  connection: Connection,
  objectId: number,
  now: Date,
): Promise<ObjectDetail["copies"]> {
  const rows = await connection.rows<{
    backend: string;
    form: string;
    state: string;
    confidence: string;
    bytes: number;
    checked_at: Date | null;
  }>("FROM copy WHERE object_id = $1 ORDER BY backend_id", [objectId]);
  const locks = await locksOf(connection, objectId, now);
  return rows.map(({ backend, form, state, confidence, bytes, checked_at: checkedAt }) => {
    const lock = locks.get(backend);
    return {
      backend,
      form,
      state,
      confidence,
      bytes,
      checkedAt: checkedAt?.toISOString(),
      ...(lock === undefined ? {} : { lock }),
    };
  });
}

/** Locks that hold at a moment, by backend. */
async function locksOf(
  connection: Connection,
  objectId: number,
  now: Date,
): Promise<ReadonlyMap<string, NonNullable<ObjectDetail["copies"][number]["lock"]>>> {
  const rows = await connection.rows<{
    backend: string;
    legal_hold: boolean;
    until: Date | null;
    mode: string | null;
    seen_at: Date;
  }>("FROM lock WHERE object_id = $1 AND (legal_hold OR until > make_timestamp($2::BIGINT))", [
    objectId,
    micros(now),
  ]);
  return new Map(
    rows.map(({ backend, legal_hold: legalHold, until, mode, seen_at: seenAt }) => [
      backend,
      {
        legalHold,
        ...(until === null ? {} : { until: until.toISOString() }),
        ...(mode === null ? {} : { mode }),
        seenAt: seenAt.toISOString(),
      },
    ]),
  );
}

async function historyOf(
  connection: Connection,
  objectId: number,
): Promise<ObjectDetail["history"]> {
  const rows = await connection.rows<{
    recorded: Date;
    kind: string;
    outcome: string | null;
    reason: string | null;
    words: string | null;
  }>(
    `SELECT recorded, kind, outcome, reason,
       CASE WHEN outcome = 'skipped' THEN nullif(detail ->> 'message', reason) END AS words
     FROM ledger WHERE object_id = $1
     ORDER BY entry_id DESC LIMIT ${historyMax}`,
    [objectId],
  );
  return rows.map((row) => ({
    at: row.recorded.toISOString(),
    kind: row.kind,
    reason: [row.outcome, row.reason, row.words].filter((part) => part !== null).join(": "),
  }));
}
