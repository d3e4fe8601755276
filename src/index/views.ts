import { sharesPerUsd } from "#model/cost-sql.ts";
import { indexViews } from "#model/index-views.ts";

type ViewName = keyof typeof indexViews;

interface ViewSource {
  readonly from: string;
  readonly columns?: Readonly<Record<string, string>>;
  /** A table whose rows are in the view, too, and which of its columns are named otherwise. */
  readonly and?: { readonly from: string; readonly columns?: Readonly<Record<string, string>> };
}

/** Where each view takes its rows from, and the columns that are not simply passed on. */
const sources: Readonly<Record<ViewName, ViewSource>> = {
  object: { from: "objects" },
  copy: {
    from: "copies AS c JOIN backends AS b ON b.backend_id = c.backend_id",
    columns: {
      backend_id: "c.backend_id",
      backend: "b.name",
      form: "c.form::VARCHAR",
      state: "c.state::VARCHAR",
      confidence: "c.confidence::VARCHAR",
    },
  },
  name: {
    from: `(SELECT object_id, path FROM objects WHERE path IS NOT NULL
            UNION ALL SELECT object_id, path FROM further_names)`,
  },
  tag: { from: "tags" },
  lease: { from: "leases" },
  lock: {
    from: "storage_locks AS k JOIN backends AS b USING (backend_id)",
    columns: { backend: "b.name" },
  },
  access_day: { from: "access_days" },
  backend: { from: "backends WHERE configured" },
  failing: {
    from: "failing_actions AS f LEFT JOIN backends AS b ON b.backend_id = f.backend_id",
    columns: { backend_id: "f.backend_id", backend: "b.name" },
  },
  ledger: {
    from: "ledger_entries",
    and: {
      from: "recovered_entries",
      columns: { run_id: "run", plan_cid: "plan", sequence: "action" },
    },
  },
  spending: {
    from: `(SELECT policy, day, amount FROM settled_costs UNION ALL
      SELECT policy, NULL, sum(amount) FROM reserved_costs GROUP BY policy)`,
    columns: { usd: `amount::DOUBLE / ${sharesPerUsd}`, shares: "amount::DECIMAL(38, 0)" },
  },
  audit: {
    // The batch of an action is the last one that begins at or before it.
    from: `ledger_entries AS l LEFT JOIN runs AS r ON r.run_id = l.run_id
      ASOF LEFT JOIN batches AS b ON b.run_key = r.run_key AND l.sequence >= b.first
      LEFT JOIN backends AS t ON t.backend_id = b.target
      LEFT JOIN backends AS v ON v.backend_id = b.victim
      LEFT JOIN objects AS o ON o.object_id = l.object_id`,
    columns: {
      message: "json_extract_string(l.detail, '$.message')",
      reason: "l.reason",
      run: "l.run_id",
      plan: "l.plan_cid",
      action: "l.sequence",
      policy: "b.policy",
      rule: "json_extract_string(l.detail, '$.rule')",
      verb: "b.verb",
      backend: "coalesce(json_extract_string(l.detail, '$.backend'), t.name, v.name)",
      object_id: "l.object_id",
      cid: "o.cid",
      path: "o.path",
    },
    and: { from: "recovered_entries" },
  },
};

/** CREATE VIEW for every view of the contract, columns in the contract's order. */
export function viewStatements(): readonly string[] {
  return (Object.keys(indexViews) as ViewName[]).map((view) => {
    const { and, ...first } = sources[view];
    const select = [first, ...(and === undefined ? [] : [and])].map(({ from, columns = {} }) => {
      const named = Object.keys(indexViews[view]).map(
        (column) => `${columns[column] ?? column} AS ${column}`,
      );
      return `SELECT ${named.join(", ")} FROM ${from}`;
    });
    return `CREATE OR REPLACE VIEW main.${view} AS ${select.join(" UNION ALL ")}`;
  });
}
