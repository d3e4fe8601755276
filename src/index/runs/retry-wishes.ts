import type { SqlStatement } from "#model/sql.ts";

/** Whose failed and cancelled actions are to be tried again; what is missing does not narrow. */
export interface RetryChoice {
  readonly run?: string;
  /** Error code of the failure. */
  readonly cause?: string;
  readonly policy?: string;
  readonly backend?: string;
}

/** Temporary table of a read session with the objects that may be tried again. */
export const retryObjectsTable = "retry_objects";
/** … and with the wishes that failed: object, verb, rule; and whether another run has it open. */
export const retryMatchesTable = "retry_matches";

/** The objects that a condition over `object AS o` selects. */
export function retryObjects(where: SqlStatement): SqlStatement {
  return {
    text: `CREATE OR REPLACE TEMP TABLE ${retryObjectsTable} AS
      SELECT o.object_id FROM object AS o WHERE ${where.text}`,
    parameters: where.parameters,
  };
}

/** The wishes of actions that failed or were cancelled, each once. */
export function retryMatches({ run, cause, policy, backend }: RetryChoice): SqlStatement {
  return {
    text: `CREATE OR REPLACE TEMP TABLE ${retryMatchesTable} AS
      WITH open_wishes AS (
        SELECT DISTINCT q.object_id, q.verb, q.rule
        FROM plan_actions AS q JOIN runs AS s ON s.plan_key = q.plan_key AND s.ended_at IS NULL
        ANTI JOIN outcomes AS d ON d.run_key = s.run_key AND d.sequence = q.sequence)
      SELECT DISTINCT p.object_id, p.verb, p.rule, o.size,
        w.object_id IS NOT NULL AS under_way
      FROM outcomes AS e JOIN runs AS r USING (run_key)
      JOIN plan_actions AS p ON p.plan_key = r.plan_key AND p.sequence = e.sequence
      JOIN objects AS o ON o.object_id = p.object_id
      LEFT JOIN open_wishes AS w
        ON w.object_id = p.object_id AND w.verb = p.verb AND w.rule = p.rule
      SEMI JOIN ${retryObjectsTable} AS chosen ON chosen.object_id = p.object_id
      WHERE e.outcome IN ('failed', 'cancelled')
        AND ($1::VARCHAR IS NULL OR r.run_id = $1) AND ($2::VARCHAR IS NULL OR e.code = $2)
        AND ($3::VARCHAR IS NULL OR split_part(p.rule, '/', 1) = $3)
        AND ($4::VARCHAR IS NULL OR (SELECT backend_id FROM backends WHERE name = $4)
          IN (p.source, p.target, p.victim))`,
    parameters: [run ?? null, cause ?? null, policy ?? null, backend ?? null],
  };
}

/** Values that variables of policies had in the plan of a run: JSON, or null. */
export function variablesOfRun(run: string): SqlStatement {
  return {
    text: `SELECT json_extract(header, '$.variables')::VARCHAR AS variables
      FROM plans AS p JOIN runs AS r USING (plan_key) WHERE r.run_id = $1`,
    parameters: [run],
  };
}

/** How many wishes there are, their bytes, and how many are under way already. */
export const retryCounts: SqlStatement = {
  text: `SELECT count(*) AS actions, coalesce(sum(size), 0)::BIGINT AS bytes,
      count(*) FILTER (WHERE under_way) AS under_way FROM ${retryMatchesTable}`,
  parameters: [],
};

/** Leaves only the wishes that no run is working on. */
export const forgetUnderWay: SqlStatement = {
  text: `DELETE FROM ${retryMatchesTable} WHERE under_way`,
  parameters: [],
};
