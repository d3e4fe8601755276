import { readdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import { queryFunctions } from "#index/query-functions.ts";
import { EngineError } from "#model/engine-error.ts";
import { indexViews } from "#model/index-views.ts";
import { objectOf, openIndex, start, temporaryFolder } from "./open-index.ts";

const secret = "hunter2";

/** Endings by which DuckDB takes a missing table for a file, and some that it may come to know. */
const endings = [
  "csv",
  "tsv",
  "txt",
  "json",
  "jsonl",
  "ndjson",
  "parquet",
  "db",
  "duckdb",
  "arrow",
];
const packed = ["csv.gz", "csv.zst", "tsv.gz", "json.gz", "json.zst", "ndjson.gz", "jsonl.gz"];

test("no name that can be written for a file reads it", async () => {
  const { index, path } = await openIndex();
  const folder = await temporaryFolder();
  const names: string[] = [`'${path}'`, `"${path}"`, "main.csv", "temp.csv", "system.main.csv"];
  for (const ending of [...endings, ...packed]) {
    const whole = join(folder, `secret.${ending}`);
    await writeFile(whole, ending.includes("json") ? `{"pw":"${secret}"}\n` : `pw\n${secret}\n`);
    const [base, near] = [join(folder, "secret"), relative(process.cwd(), join(folder, "secret"))];
    const [first, ...more] = ending.split(".");
    names.push(`'${whole}'`, `"${whole}"`, `"${whole.toUpperCase()}"`, `main."${whole}"`);
    names.push(`"${base}"."${ending}"`, `"${near}"."${ending}"`, `"${base}"."${ending}?x"`);
    if (more.length === 0) {
      names.push(`"${base}".${first}`, `"${base}".${first?.toUpperCase()}`);
      names.push(`"file://${base}"."${ending}"`, `"${folder}/*"."${ending}"`);
    } else names.push(`"${base}".${first}.${more[0]}`, `"${base}"."${first}".${more[0]}`);
    names.push(`"${folder}/secret".main."${ending}"`, `memory."${base}"."${ending}"`);
  }
  const csv = `"${folder}/secret".csv`;
  // The engine's own statements may: so the file is there, and the name is one that reads it.
  await using session = await index.session();
  expect(await session.rows({ text: `FROM ${csv}`, parameters: [] })).toEqual([{ pw: secret }]);
  for (const name of names) await refused(index, `SELECT * FROM ${name}`);
});

test("no form of a query reaches a file, a setting or another statement", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(1)], start);
  const folder = await temporaryFolder();
  const file = join(folder, "secret.csv");
  await writeFile(file, `pw\n${secret}\n`);
  const csv = `"${folder}/secret".csv`;
  const forms = [
    `FROM ${csv}`,
    `TABLE ${csv}`,
    `DESCRIBE ${csv}`,
    `DESCRIBE '${file}'`,
    `SUMMARIZE ${csv}`,
    `SUMMARIZE SELECT * FROM ${csv}`,
    `SHOW ${csv}`,
    `FROM (DESCRIBE ${csv})`,
    `FROM (SUMMARIZE '${file}')`,
    `SELECT (SELECT pw FROM ${csv})`,
    `SELECT EXISTS (FROM ${csv} WHERE pw LIKE 'h%')`,
    `SELECT '${secret}' IN (SELECT pw FROM ${csv})`,
    `SELECT [pw FOR pw IN (SELECT list(pw) FROM ${csv})]`,
    `SELECT ARRAY(SELECT pw FROM ${csv})`,
    `SELECT 1 ORDER BY (SELECT pw FROM ${csv})`,
    `SELECT 1 LIMIT (SELECT count(*) FROM ${csv})`,
    `SELECT count(*) FILTER ((SELECT count(*) FROM ${csv}) > 1)`,
    `SELECT sum(1) OVER (ORDER BY (SELECT pw FROM ${csv}))`,
    `SELECT 1 QUALIFY (SELECT true FROM ${csv})`,
    `VALUES ((SELECT pw FROM ${csv}))`,
    `WITH a AS (FROM ${csv}) FROM a`,
    `WITH a AS MATERIALIZED (FROM ${csv}) FROM a`,
    `WITH RECURSIVE a AS (SELECT 'x' AS pw UNION ALL FROM ${csv}) FROM a`,
    `WITH "secret.csv" AS (SELECT 1) FROM "secret.csv"`,
    `SELECT * FROM "${file}" WHERE (WITH "${file}" AS (SELECT 1) SELECT true FROM "${file}")`,
    `SELECT 1 UNION ALL BY NAME FROM ${csv}`,
    `FROM object EXCEPT FROM ${csv}`,
    `FROM object, LATERAL (FROM ${csv})`,
    `FROM object POSITIONAL JOIN ${csv}`,
    `FROM object ASOF JOIN ${csv} ON object_id >= pw`,
    `FROM object SEMI JOIN ${csv} ON true`,
    `FROM range((SELECT count(*) FROM ${csv}))`,
    `FROM unnest((SELECT list(pw) FROM ${csv}))`,
    `FROM object TABLESAMPLE 10%, ${csv}`,
    `PIVOT ${csv} ON pw`,
    `PIVOT ${csv} ON pw IN ('${secret}') USING count(*)`,
    `UNPIVOT ${csv} ON pw`,
    `FROM (PIVOT ${csv} ON pw IN ('a'))`,
    `EXPLAIN FROM ${csv}`,
    `EXPLAIN ANALYZE COPY (SELECT 1) TO '${join(folder, "out.csv")}'`,
    `COPY (SELECT 1) TO '${join(folder, "out.csv")}'`,
    `SELECT 1) TO '${join(folder, "out.csv")}' (FORMAT csv) --`,
    `CREATE TABLE t AS FROM ${csv}`,
    `INSERT INTO tags FROM ${csv}`,
    `ATTACH '${file}' AS other`,
    "PRAGMA database_list",
    "CALL pragma_database_list()",
    "SET VARIABLE a = 1",
    "EXECUTE a",
    "LOAD json",
    "INSTALL httpfs",
    `FROM query('FROM ${csv}')`,
    `FROM query_table('${file}')`,
    `FROM sniff_csv('${file}')`,
    ...["read_csv", "read_csv_auto", "read_text", "read_blob", "read_json", "READ_NDJSON"].flatMap(
      (name) => [`FROM ${name}('${file}')`, `FROM system.main."${name}"(['${file}'])`],
    ),
    ...["read_json_objects", "read_parquet", "parquet_scan", "read_duckdb", "glob"].map(
      (name) => `FROM ${name}('${file}')`,
    ),
    ...["parquet_metadata", "parquet_schema", "parquet_file_metadata", "parquet_kv_metadata"].map(
      (name) => `FROM ${name}('${file}')`,
    ),
    ...["duckdb_settings", "duckdb_secrets", "duckdb_databases", "duckdb_logs"].flatMap((name) => [
      `FROM ${name}()`,
      `FROM ${name}`,
      `FROM main.${name}`,
      `FROM ${name}, (WITH ${name} AS (SELECT 1) FROM ${name})`,
    ]),
    ...["duckdb_temporary_files", "duckdb_extensions", "duckdb_external_file_cache"].map(
      (name) => `FROM ${name}()`,
    ),
    "FROM pragma_database_list",
    "FROM pragma_database_size()",
    "FROM pragma_user_agent()",
    "FROM pg_settings",
    "FROM pg_catalog.pg_settings",
    "FROM pg_settings, (WITH pg_settings AS (SELECT 1) FROM pg_settings)",
    "FROM temp.main.object",
    "FROM system.main.duckdb_settings",
    "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SHOW DATABASES",
    "SHOW VARIABLES",
    "SHOW TABLES FROM temp",
    "FROM histogram('object', 'size')",
    "SELECT current_setting('temp_directory')",
    "SELECT main.\"CURRENT_setting\"('temp_directory')",
    "SELECT system.main.current_setting('temp_directory')",
    "SELECT ('temp_directory').current_setting()",
    "SELECT list_transform(['temp_directory'], lambda s: current_setting(s))",
    "SELECT max(current_setting('temp_directory')) OVER ()",
    "SELECT getenv('HOME')",
    "SELECT getvariable('a')",
    `SELECT json_serialize_plan('FROM read_csv(''${file}'')')`,
    "SELECT write_log('x')",
    "SELECT sleep_ms(60000)",
    "SELECT pg_sleep(60)",
    "SELECT nextval('a')",
  ];
  for (const text of forms) await refused(index, text);
  expect(await readdir(folder)).toEqual(["secret.csv"]);
});

test("what reads the index only is answered", async () => {
  const { index } = await openIndex();
  await index.putObjects([objectOf(1), objectOf(2)], start);
  for (const view of Object.keys(indexViews)) {
    for (const name of [view, view.toUpperCase(), `"${view}"`, `main.${view}`]) {
      await answer(index, `SELECT * FROM ${name}`);
    }
  }
  const answers: readonly [string, number][] = [
    ["FROM object SELECT count(*)", 1],
    ["SELECT count(*) FROM controller_terms", 1],
    ["WITH A AS (FROM object), b AS (FROM a) SELECT cid FROM B, LATERAL (SELECT b.size)", 2],
    ["WITH RECURSIVE t AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM t WHERE i < 5) FROM t", 5],
    ["SELECT unnest([1, 2, 3]), upper('a'), ('b').upper(), extract(year FROM now())", 3],
    ["SELECT row_number() OVER (ORDER BY size), sum(size) OVER () FROM object", 2],
    ["SELECT [x + 1 FOR x IN [1, 2]], {'a': 1}.a, MAP {'b': 2}, ifnull(NULL, 3), 4 // 3, @ -1", 1],
    ["SELECT size::VARCHAR || path, cid IS NOT NULL, path ILIKE '%a' FROM object", 2],
    ["SELECT current_date, current_timestamp, uuid() IS NOT NULL, '{}'::JSON ->> '$.a'", 1],
    ["PIVOT object ON size IN (1, 2) USING count(*) GROUP BY held", 1],
    ["UNPIVOT (SELECT size, names FROM object) ON size, names", 4],
    ["FROM (VALUES (1), (2)) AS v(i) SEMI JOIN range(2) AS r(i) USING (i)", 1],
    ["FROM json_each('[1, 2]')", 2],
    ["SELECT table_name FROM information_schema.tables WHERE table_name = 'object'", 1],
    ["SELECT view_name FROM duckdb_views() WHERE view_name = 'object'", 1],
    ["SELECT column_name FROM (DESCRIBE tag) WHERE column_name = 'tag'", 1],
  ];
  for (const [text, rows] of answers) {
    expect([text, (await answer(index, text)).length]).toEqual([text, rows]);
  }
  for (const text of ["DESCRIBE object", "SUMMARIZE object", "SHOW TABLES", "SHOW ALL TABLES"]) {
    const { length } = await answer(index, text);
    expect(length).toBeGreaterThan(10);
  }
});

test("the functions that are allowed are those of this DuckDB", async () => {
  const { index } = await openIndex();
  const known = await answer(index, "SELECT DISTINCT lower(function_name) FROM duckdb_functions()");
  const names = new Set(known.map(([name]) => name));
  expect(queryFunctions().filter((name) => !names.has(name))).toEqual([]);
});

async function refused(index: ObjectIndex, text: string): Promise<void> {
  const thrown = await answer(index, text).then(
    () => new Error("it was answered"),
    (error: unknown) => error,
  );
  const { code, message, hint } = EngineError.from(thrown);
  expect([text, code]).toEqual([text, expect.stringMatching(/^(?:USAGE|REFUSED)$/)]);
  expect(text.includes(secret) ? "" : `${message} ${hint}`).not.toContain(secret);
}

async function answer(index: ObjectIndex, text: string): Promise<readonly (readonly unknown[])[]> {
  const rows: unknown[][] = [];
  for await (const batch of index.query(text)) {
    for (let row = 0; row < batch.rows; row += 1) {
      rows.push(batch.columns.map((column) => column[row]));
    }
  }
  return rows;
}
