import type { Planning } from "#policies/plan/planning.ts";
import type { SqlRow } from "#model/sql.ts";
import { sql } from "#policies/sql-fragment.ts";

/** What of an object is quarantined: since when, how often it failed, with what, and the way out. */
export async function quarantineWords(
  planning: Planning,
  objectId: number,
): Promise<readonly string[]> {
  const rows = await planning.rows(sql`SELECT f.step, f.backend, f.code, f.message, f.failures,
      f.quarantined_at, f.verb, f.rule
    FROM failing f WHERE f.object_id = ${objectId}::BIGINT AND f.quarantined_at IS NOT NULL
    ORDER BY f.quarantined_at, f.backend_id, f.step`);
  return rows.map((row) => {
    const since = row["quarantined_at"] instanceof Date ? row["quarantined_at"].toISOString() : "";
    return (
      `quarantined since ${since}: ${leftOut(row)}, as that failed ` +
      `${Number(row["failures"])} times in a row with ${String(row["code"])} ` +
      `(${String(row["message"])}); once that is mended: ` +
      `thermocline quarantine release <cid> --reason …`
    );
  });
}

function leftOut({ step, backend, verb, rule }: SqlRow): string {
  if (step === "copy") return `no copy is made on ${String(backend)}`;
  if (step === "removal") return `its copy is not removed from ${String(backend)}`;
  const where = typeof backend === "string" ? ` on ${backend}` : "";
  return `${String(verb)}${where} for ${String(rule)} is left out`;
}
