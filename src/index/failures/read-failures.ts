import { cidText } from "#index/cid-key.ts";
import type { Connection } from "#index/connection.ts";
import type { Failure, FailureCause, FailureStep } from "#model/failure.ts";
import type { Verb } from "#model/plan.ts";
import type { SqlRow, SqlStatement, SqlValue } from "#model/sql.ts";

/** Which failures are meant; every given field must fit. */
export interface FailureSelection {
  readonly run?: string;
  readonly policy?: string;
  readonly backend?: string;
  readonly cause?: string;
  readonly objectId?: number;
  /** A condition over the view `object AS o`. */
  readonly where?: SqlStatement;
  /** Only those that are quarantined. */
  readonly quarantined?: boolean;
}

/** A page of failures, the latest first. */
export async function readFailures(
  connection: Connection,
  selection: FailureSelection,
  page: { readonly offset: number; readonly limit: number },
): Promise<readonly Failure[]> {
  const { text, parameters } = failuresOf(selection);
  const count = parameters.length;
  const rows = await connection.rows<FailureRow>(
    `SELECT f.*, o.cid, o.path, o.size ${text}
     ORDER BY f.last_at DESC, f.run_id DESC, f.sequence, f.step
     LIMIT $${count + 1} OFFSET $${count + 2}`,
    [...parameters, page.limit, page.offset],
  );
  return rows.map((row) => ({
    cid: cidText(row.cid),
    path: row.path ?? undefined,
    size: row.size,
    run: row.run_id,
    sequence: row.sequence,
    verb: row.verb,
    rule: row.rule,
    step: row.step,
    backend: row.backend ?? undefined,
    code: row.code,
    message: row.message,
    output: row.output ?? undefined,
    failures: row.failures,
    firstAt: row.first_at.toISOString(),
    lastAt: row.last_at.toISOString(),
    quarantinedAt: row.quarantined_at?.toISOString(),
  }));
}

/** How many failures there are of each cause, with the latest as an example. */
export async function readCauses(
  connection: Connection,
  selection: FailureSelection,
): Promise<readonly Omit<FailureCause, "remedy">[]> {
  const { text, parameters } = failuresOf(selection);
  const rows = await connection.rows<{
    code: string;
    count: number;
    example: string;
    output: string;
  }>(
    `SELECT f.code, count(*) AS count, ${latest("f.message")} AS example,
       ${latest("coalesce(f.output, '')")} AS output ${text}
     GROUP BY f.code ORDER BY count(*) DESC, f.code`,
    parameters,
  );
  return rows.map((row) => ({ ...row, output: row.output === "" ? undefined : row.output }));
}

function latest(column: string): string {
  return `max_by(${column}, (f.last_at, -f.sequence))`;
}

/** FROM and WHERE over the views `failing AS f` and `object AS o`. */
export function failuresOf(selection: FailureSelection): SqlStatement {
  const { where, quarantined, run, policy, backend, cause, objectId } = selection;
  // The condition's own parameters keep their numbers by coming first.
  const parameters: SqlValue[] = [...(where?.parameters ?? [])];
  const conditions = where === undefined ? [] : [`(${where.text})`];
  const equal = (column: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    parameters.push(value);
    conditions.push(`${column} = $${parameters.length}`);
  };
  equal("f.run_id", run);
  equal("split_part(f.rule, '/', 1)", policy);
  equal("f.backend", backend);
  equal("f.code", cause);
  equal("f.object_id", objectId);
  if (quarantined === true) conditions.push("f.quarantined_at IS NOT NULL");
  const condition = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  return {
    text: `FROM failing AS f JOIN object AS o USING (object_id) ${condition}`,
    parameters,
  };
}

interface FailureRow extends SqlRow {
  readonly cid: Uint8Array;
  readonly path: string | null;
  readonly size: number;
  readonly run_id: string;
  readonly sequence: number;
  readonly verb: Verb;
  readonly rule: string;
  readonly step: FailureStep;
  readonly backend: string | null;
  readonly code: string;
  readonly message: string;
  readonly output: string | null;
  readonly failures: number;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly quarantined_at: Date | null;
}
