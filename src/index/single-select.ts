import type { Connection } from "#index/connection.ts";
import { isQueryFunction, isQueryTableFunction } from "#index/query-functions.ts";
import { sqlLiteral } from "#index/sql-literal.ts";
import { EngineError } from "#model/engine-error.ts";

/**
 * Refuses anything but one SELECT over what the index holds. DuckDB's own parser gives the syntax
 * tree. Everything in it that could read is on a list of what is allowed, which stays right when
 * DuckDB learns more:
 *
 * - a table exists in the index, or is a CTE of the statement under a name that no file can have.
 *   Where a table is missing, DuckDB takes its name, joined with schema and catalogue, for that of
 *   a file: not only `FROM 'file.parquet'` but `FROM main.csv` and `FROM "/folder/file".json`;
 * - every function, in a FROM clause and elsewhere, is one of `isQueryFunction`;
 * - the kinds of table reference and of query are known ones.
 */
export async function requireSingleSelect(connection: Connection, text: string): Promise<void> {
  const tree = await syntaxTree(connection, text);
  const [statement] = tree.statements ?? [];
  if (tree.error || statement === undefined || tree.statements?.length !== 1) {
    throw new EngineError(
      "USAGE",
      `this is not one SELECT statement${tree.error_message ? `: ${tree.error_message}` : ""}`,
      { hint: "write a single SELECT over object, copy, name, tag, access_day, backend or ledger" },
    );
  }
  const { own, system } = await knownTables(connection);
  const named = cteNames(statement).filter((name) => !system.has(name));
  inspect(statement, new Set([...own, ...named]));
}

interface SyntaxTree {
  readonly error: boolean;
  readonly error_message?: string;
  readonly statements?: readonly Fields[];
}

type Fields = Readonly<Record<string, unknown>>;

async function syntaxTree(connection: Connection, text: string): Promise<SyntaxTree> {
  const row = await connection.row<{ tree: string }>(
    `SELECT json_serialize_sql(${sqlLiteral(text)}) AS tree`,
  );
  return JSON.parse(row.tree) as SyntaxTree;
}

interface KnownTables {
  /** What may be read, as it may be written: in lower case, its schema before it or not. */
  readonly own: ReadonlySet<string>;
  /** DuckDB's own views: beyond the scope of a CTE of that name, the name means the view again. */
  readonly system: ReadonlySet<string>;
}

async function knownTables(connection: Connection): Promise<KnownTables> {
  const rows = await connection.rows<{ name: string; internal: boolean }>(
    `SELECT lower(table_name) AS name, internal FROM duckdb_tables()
     WHERE database_name = current_database() AND schema_name = 'main'
     UNION ALL SELECT lower(view_name), internal FROM duckdb_views()
     WHERE internal OR database_name = current_database() AND schema_name = 'main'`,
  );
  const names = (internal: boolean) =>
    rows.filter((row) => row.internal === internal).map(({ name }) => name);
  return {
    own: new Set([...names(false).flatMap((name) => [name, `main.${name}`]), ...describing]),
    system: new Set(names(true)),
  };
}

// Views of DuckDB that describe the schema, and nothing else of the process or its files.
const describing: readonly string[] = [
  "duckdb_columns",
  "duckdb_tables",
  "duckdb_types",
  "duckdb_views",
  "sqlite_master",
  "information_schema.columns",
  "information_schema.tables",
  "information_schema.views",
];

/** What SHOW TABLES and its kin carry in the place of a name. */
const shown: ReadonlySet<string> = new Set(['"tables"', "__show_tables_expanded"]);

const tableReferences: ReadonlySet<unknown> = new Set([
  "BASE_TABLE",
  "EMPTY",
  "EXPRESSION_LIST",
  "JOIN",
  "PIVOT",
  "SHOW_REF",
  "SUBQUERY",
  "TABLE_FUNCTION",
]);

const queryNodes: ReadonlySet<string> = new Set([
  "SELECT_NODE",
  "SET_OPERATION_NODE",
  "RECURSIVE_CTE_NODE",
  "CTE_NODE",
]);

/** Names of common table expressions anywhere in the statement; no replacement reads such a file. */
function cteNames(node: unknown): readonly string[] {
  const fields = fieldsOf(node);
  const map = fieldsOf(fields?.["cte_map"])?.["map"];
  const own = (Array.isArray(map) ? map : []).map((entry) => String(fieldsOf(entry)?.["key"]));
  const below = Object.values(fields ?? {}).flatMap((value) => cteNames(value));
  return [...own.filter((name) => /^\w+$/u.test(name)).map((name) => name.toLowerCase()), ...below];
}

function inspect(node: unknown, tables: ReadonlySet<string>): void {
  const fields = fieldsOf(node);
  if (fields === undefined) return;
  const { type } = fields;
  if (typeof type === "string" && type.endsWith("_NODE") && !queryNodes.has(type)) refuseKind(type);
  for (const reference of referencesOf(fields)) {
    if (!tableReferences.has(reference["type"])) refuseKind(reference["type"]);
  }
  if (type === "SHOW_REF") checkShown(fields);
  else if (typeof fields["table_name"] === "string") checkTable(fields, tables);
  if (typeof fields["function_name"] === "string") checkFunction(fields["function_name"]);
  for (const [key, value] of Object.entries(fields)) {
    const call = type === "TABLE_FUNCTION" && key === "function" ? fieldsOf(value) : undefined;
    if (call === undefined) inspect(value, tables);
    else inspectTableFunction(call, tables);
  }
}

/** The table references that a node has as its own. */
function referencesOf(fields: Fields): readonly Fields[] {
  const { type, from_table: from, source, left, right } = fields;
  const values = type === "JOIN" ? [left, right] : type === "PIVOT" ? [source] : [from];
  return values.map(fieldsOf).filter((value) => value !== undefined);
}

function inspectTableFunction(call: Fields, tables: ReadonlySet<string>): void {
  const { function_name: name, ...rest } = call;
  if (typeof name !== "string" || !isQueryTableFunction(name)) refuseFunction("table ", name);
  inspect(rest, tables);
}

function checkFunction(name: string): void {
  if (!isQueryFunction(name)) refuseFunction("", name);
}

function refuseFunction(kind: string, name: unknown): never {
  throw new EngineError("REFUSED", `the ${kind}function ${String(name)}() is not allowed here`, {
    hint: "queries read the index only; export first, then read files with a tool of your own",
  });
}

function checkTable(fields: Fields, tables: ReadonlySet<string>): void {
  const parts = [fields["catalog_name"], fields["schema_name"], fields["table_name"]];
  const name = parts.filter((part) => part !== "" && part !== undefined).join(".");
  // A dot in one of the parts does not make it another table's name.
  const whole = parts.every((part) => typeof part === "string" && !part.includes("."));
  if (whole && tables.has(name.toLowerCase())) return;
  throw new EngineError("REFUSED", `"${name}" is not a view of the index`, {
    hint: "files cannot be read from a query; the views are object, copy, name, tag, …",
  });
}

/** DESCRIBE and SUMMARIZE carry a query, which is looked at like any other. */
function checkShown(fields: Fields): void {
  const { table_name: name, show_type: kind, catalog_name: catalog, schema_name: schema } = fields;
  const described = (kind === "DESCRIBE" || kind === "SUMMARY") && name === "";
  const listed = kind === "SHOW_UNQUALIFIED" && shown.has(String(name));
  if ((described && fieldsOf(fields["query"]) !== undefined) || listed) {
    if (catalog === "" && schema === "") return;
  }
  throw new EngineError("REFUSED", "a query shows nothing but the tables of the index", {
    hint: "write SHOW TABLES, or DESCRIBE and the name of a view",
  });
}

function refuseKind(kind: unknown): never {
  throw new EngineError("REFUSED", `a query does not hold ${String(kind)}`, {
    hint: "write a SELECT over the views object, copy, name, tag, …",
  });
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null ? (value as Fields) : undefined;
}
