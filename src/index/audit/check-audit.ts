import { auditQueries, auditTotals } from "#index/audit/audit-queries.ts";
import type { Connection } from "#index/connection.ts";
import { checkSummaries } from "#index/summaries.ts";
import type { AuditCheck, AuditFinding, AuditReport } from "#model/audit.ts";
import type { SqlRow } from "#model/sql.ts";

const examplesMax = 10;

/** Holds the ledger, the outcomes and the figures of the index against each other. */
export async function checkAudit(connection: Connection): Promise<AuditReport> {
  const { done, skipped, failed, cancelled, ...totals } = await connection.row<
    Totals & AuditReport["outcomes"]
  >(auditTotals);
  const findings: AuditFinding[] = [];
  for (const [check, query] of Object.entries(auditQueries)) {
    const found = await connection.row<{ count: number; examples: readonly string[] | null }>(
      `SELECT count(*) AS count, list(subject)[:${examplesMax}] AS examples
       FROM (SELECT subject FROM (${query}) ORDER BY subject)`,
    );
    const { count, examples } = found;
    if (count > 0) findings.push({ check: check as AuditCheck, count, examples: examples ?? [] });
  }
  const differences = await checkSummaries(connection);
  if (differences.length > 0) {
    const examples = differences.slice(0, examplesMax).map(({ what, id, stored, recomputed }) => {
      return `${what} of ${id}: ${String(stored)}, not ${String(recomputed)}`;
    });
    findings.push({ check: "wrong-figure", count: differences.length, examples });
  }
  return { ...totals, outcomes: { done, skipped, failed, cancelled }, findings };
}

interface Totals
  extends
    SqlRow,
    Pick<AuditReport, "runs" | "actions" | "permits" | "proofs" | "settlements" | "entries"> {}
