import { cidColumn } from "#engine/cid-column.ts";
import type { EngineContext } from "#engine/context.ts";
import { presentValues } from "#engine/present-values.ts";
import { readTime } from "#engine/read-time.ts";
import { findRun } from "#engine/runs.ts";
import { writeRowFile } from "#engine/write-row-file.ts";
import type { AuditEntry, AuditExportRequest, AuditRequest } from "#model/audit.ts";
import type { RowFile } from "#model/row-file.ts";
import type { ColumnBatch } from "#model/sql.ts";
import { compileFilter } from "#policies/compile-filter.ts";
import { ledgerAttributes } from "#policies/ledger-attributes.ts";
import {
  joinFragments,
  sql,
  type SqlFragment,
  toStatement,
  trusted,
} from "#policies/sql-fragment.ts";
import { timestampParameter } from "#policies/timestamp-parameter.ts";

/** Columns of an entry, in the order in which they are read. */
const columns = [
  ["entry", "l.entry_id"],
  ["recorded", "l.recorded"],
  ["kind", "l.kind"],
  ["outcome", "l.outcome"],
  ["reason", "l.reason"],
  ["message", "l.message"],
  ["run", "l.run"],
  ["plan", "l.plan"],
  ["action", "l.action"],
  ["policy", "l.policy"],
  ["rule", "l.rule"],
  ["verb", "l.verb"],
  ["backend", "l.backend"],
  ["cid", "l.cid"],
  ["path", "l.path"],
  ["actor", "l.actor"],
  ["note", "l.note"],
  ["detail", "l.detail"],
] as const;

/** Entries of the ledger in pieces, the newest last. */
export async function* auditEntries(
  context: EngineContext,
  request: AuditRequest,
): AsyncGenerator<readonly AuditEntry[]> {
  const selected = columns.map(([name, source]) => `${source} AS "${name}"`).join(", ");
  const where = await conditionOf(context, request);
  const newest = sql`SELECT ${trusted(selected)} FROM audit AS l WHERE ${where}`;
  const limited =
    request.limit === undefined
      ? newest
      : sql`SELECT * FROM (${newest} ORDER BY l.entry_id DESC LIMIT ${request.limit})`;
  await using session = await context.index.session();
  for await (const batch of session.columns(toStatement(sql`${limited} ORDER BY "entry"`))) {
    yield Array.from({ length: batch.rows }, (_, row) => entryOf(batch, row));
  }
}

/** Writes entries to a file, which appears whole or not at all. */
export async function exportAudit(
  context: EngineContext,
  { file, ...request }: AuditExportRequest,
): Promise<RowFile> {
  const where = await conditionOf(context, request);
  const rows = sql`SELECT ${exportedColumns()} FROM audit AS l WHERE ${where}`;
  const limited =
    request.limit === undefined
      ? rows
      : sql`SELECT * FROM (${rows} ORDER BY l.entry_id DESC LIMIT ${request.limit})`;
  await using session = await context.index.session();
  return await writeRowFile(session, toStatement(sql`${limited} ORDER BY "entry"`), file);
}

/** What a file has of an entry, from `audit AS l`. */
export function exportedColumns(): SqlFragment {
  const selected = columns.map(([name, source]) =>
    name === "cid" ? sql`${cidColumn(source)} AS cid` : trusted(`${source} AS "${name}"`),
  );
  return joinFragments(selected, ", ");
}

async function conditionOf(context: EngineContext, request: AuditRequest): Promise<SqlFragment> {
  const { where, since, until, run, object } = request;
  const conditions: SqlFragment[] = [trusted("true")];
  if (since !== undefined) conditions.push(sql`l.recorded >= ${instant(since)}`);
  if (until !== undefined) conditions.push(sql`l.recorded < ${instant(until)}`);
  if (run !== undefined) conditions.push(sql`l.run = ${(await findRun(context, run)).id}`);
  if (object !== undefined) {
    conditions.push(sql`l.object_id = ${await context.index.findObject(object)}`);
  }
  if (where !== undefined) {
    const moment = await context.moment(context.now());
    conditions.push(compileFilter(where, { ...moment, registry: ledgerAttributes }));
  }
  return joinFragments(conditions, " AND ");
}

function instant(text: string): SqlFragment {
  return timestampParameter(readTime(text).getTime());
}

function entryOf(batch: ColumnBatch, row: number): AuditEntry {
  const { detail, ...values } = presentValues(batch, row);
  const entry = typeof detail === "string" ? { ...values, detail: JSON.parse(detail) } : values;
  return entry as unknown as AuditEntry;
}
