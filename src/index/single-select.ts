import type { Connection } from "#index/connection.ts";
import { sqlLiteral } from "#index/sql-literal.ts";
import { EngineError } from "#model/engine-error.ts";

// Table functions that make rows or describe the schema, and read nothing outside.
const harmlessFunctions: ReadonlySet<string> = new Set([
  "range",
  "generate_series",
  "unnest",
  "repeat",
  "repeat_row",
  "json_each",
  "json_tree",
  "duckdb_columns",
  "duckdb_functions",
  "duckdb_tables",
  "duckdb_types",
  "duckdb_views",
  "pragma_table_info",
]);

/**
 * Refuses anything but one SELECT over what the index holds. DuckDB's own parser gives the
 * syntax tree; in it every table function must be on the list above and every table must have a
 * plain name, so that neither `read_csv(…)` nor `FROM 'file.parquet'` reaches the disk or the
 * network. A list of what is allowed stays right when DuckDB learns new functions.
 */
export async function requireSingleSelect(connection: Connection, text: string): Promise<void> {
  const tree = await syntaxTree(connection, text);
  if (tree.error || tree.statements?.length !== 1) {
    throw new EngineError(
      "USAGE",
      `this is not one SELECT statement${tree.error_message ? `: ${tree.error_message}` : ""}`,
      { hint: "write a single SELECT over object, copy, name, tag, access_day, backend or ledger" },
    );
  }
  inspect(tree.statements[0]);
}

interface SyntaxTree {
  readonly error: boolean;
  readonly error_message?: string;
  readonly statements?: readonly unknown[];
}

async function syntaxTree(connection: Connection, text: string): Promise<SyntaxTree> {
  const row = await connection.row<{ tree: string }>(
    `SELECT json_serialize_sql(${sqlLiteral(text)}) AS tree`,
  );
  return JSON.parse(row.tree) as SyntaxTree;
}

function inspect(node: unknown): void {
  if (Array.isArray(node)) {
    for (const item of node) inspect(item);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  const fields = node as Readonly<Record<string, unknown>>;
  if (fields["type"] === "TABLE_FUNCTION") checkFunction(fields);
  if (typeof fields["table_name"] === "string") checkName(fields["table_name"]);
  for (const value of Object.values(fields)) inspect(value);
}

function checkFunction(fields: Readonly<Record<string, unknown>>): void {
  const call = fields["function"] as { readonly function_name?: unknown } | undefined;
  const name = String(call?.function_name).toLowerCase();
  if (harmlessFunctions.has(name)) return;
  throw new EngineError("REFUSED", `the table function ${name}() is not allowed here`, {
    hint: "queries read the index only; export first, then read files with a tool of your own",
  });
}

function checkName(name: string): void {
  // SHOW TABLES and its kin carry a quoted keyword here.
  if (/^"?\w*"?$/u.test(name)) return;
  throw new EngineError("REFUSED", `"${name}" is not a view of the index`, {
    hint: "files cannot be read from a query; the views are object, copy, name, tag, …",
  });
}
