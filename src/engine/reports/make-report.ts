import { filterOf, type ObjectSource } from "#engine/objects.ts";
import { reportMeasures } from "#engine/reports/report-measures.ts";
import { type Holder, type ReportQuery, reportQuery } from "#engine/reports/report-query.ts";
import { writeRowFile } from "#engine/write-row-file.ts";
import type {
  Report,
  ReportExportRequest,
  ReportRequest,
  ReportRow,
  ReportValues,
} from "#model/report.ts";
import type { RowFile } from "#model/row-file.ts";
import type { SqlRow } from "#model/sql.ts";
import { sql, toStatement, trusted } from "#policies/sql-fragment.ts";

export interface ReportSource extends ObjectSource {
  readonly minimumCopies: number;
}

/** Groups in an answer unless the caller says how many; a file has all. */
const groupsDefault = 1_000;

/** Figures of the index by group, and over all, on one reading. */
export async function makeReport(source: ReportSource, request: ReportRequest): Promise<Report> {
  const { report, by, limit = groupsDefault } = request;
  const now = source.now();
  await using session = await source.index.session();
  const query = await queryOf(source, request, now, await session.holders());
  const rows = await session.rows(
    toStatement(sql`${query.beginning}, groups AS (${query.groups})
      SELECT * EXCLUDE (position), position, NULL::BIGINT AS groups FROM groups
      WHERE position <= ${limit}::BIGINT
      UNION ALL BY NAME SELECT *, (SELECT count(*) FROM groups) AS groups FROM (${query.totals})
      ORDER BY position NULLS LAST`),
  );
  const totals = rows.at(-1);
  return {
    report,
    by,
    at: now.toISOString(),
    columns: reportMeasures[report].map(({ name, unit, meaning, charted }) => {
      return { name, unit, meaning, charted };
    }),
    groups: Number(totals?.["groups"] ?? 0),
    rows: rows.slice(0, -1).map((row) => rowOf(row, request)),
    totals: totals === undefined ? {} : valuesOf(totals, request),
  };
}

/** Writes all groups of a report to a file, the group in a column of the grouping's name. */
export async function exportReport(
  source: ReportSource,
  { file, ...request }: ReportExportRequest,
): Promise<RowFile> {
  await using session = await source.index.session();
  const query = await queryOf(source, request, source.now(), await session.holders());
  const names = reportMeasures[request.report].map(({ name }) => name).join(", ");
  const statement = sql`${query.beginning}
    SELECT name AS ${trusted(`"${request.by}"`)}, ${trusted(names)} FROM (${query.groups})
    ORDER BY position`;
  return await writeRowFile(session, toStatement(statement), file);
}

async function queryOf(
  source: ReportSource,
  { report, by, where }: ReportRequest,
  now: Date,
  holders: readonly Holder[],
): Promise<ReportQuery> {
  const { registry, minimumCopies } = source;
  return reportQuery({
    measures: reportMeasures[report],
    by,
    holders,
    where: where === undefined ? undefined : await filterOf(source, where),
    context: { ...(await source.moment(now)), registry, minimumCopies },
  });
}

function rowOf(row: SqlRow, request: ReportRequest): ReportRow {
  const { name } = row;
  const values = valuesOf(row, request);
  return typeof name === "string" ? { group: name, values } : { values };
}

/** Beyond 2^53 a figure is told to sixteen digits. */
function valuesOf(row: SqlRow, { report }: ReportRequest): ReportValues {
  return Object.fromEntries(reportMeasures[report].map(({ name }) => [name, Number(row[name])]));
}
