import { blobValue, DuckDBInstance } from "@duckdb/node-api";
import { indexViews } from "#model/index-views.ts";
import type { SqlStatement } from "#model/sql.ts";

/** Tables shaped as the views of the index, in memory, for tests of what policies compile to. */
export interface MemoryIndex extends Disposable {
  run(text: string): Promise<void>;
  rows(statement: SqlStatement): Promise<readonly (readonly unknown[])[]>;
}

export async function openMemoryIndex(): Promise<MemoryIndex> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  for (const [view, columns] of Object.entries(indexViews)) {
    const definitions = Object.entries(columns).map(([name, [type]]) => `"${name}" ${type}`);
    await connection.run(`create table "${view}" (${definitions.join(", ")})`);
  }
  return {
    async run(text) {
      await connection.run(text);
    },
    async rows({ text, parameters }) {
      const values = parameters.map((value) =>
        value instanceof Uint8Array ? blobValue(value) : value,
      );
      const reader = await connection.runAndReadAll(text, values);
      return reader.getRowsJS();
    },
    [Symbol.dispose]() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
