import { rename, rm, stat } from "node:fs/promises";
import { StatementType } from "#index/duckdb.ts";
import type { IpcForm } from "#index/arrow/ipc-bytes.ts";
import { writeArrowFile } from "#index/arrow/write-arrow-file.ts";
import { type Holder, listBackends, listHolders } from "#index/backends.ts";
import { batchRows } from "#index/batch-rows.ts";
import { copyOptions } from "#index/copy-options.ts";
import { heatSettings } from "#index/heat-settings.ts";
import { summariser, type SummaryRow } from "#index/object-summary.ts";
import { releaseTable } from "#index/release-table.ts";
import { requireSingleSelect } from "#index/single-select.ts";
import type { Connection, StatementCheck } from "#index/connection.ts";
import { sqlLiteral } from "#index/sql-literal.ts";
import type { Backend } from "#model/backend.ts";
import type { ObjectSummary } from "#model/engine-api.ts";
import type { HeatSettings } from "#model/index-store.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ArrowPiece } from "#model/record-batch.ts";
import type { ColumnBatch, ReadSession, RowFormat, SqlRow, SqlStatement } from "#model/sql.ts";

const temporaryWork: ReadonlySet<StatementType> = new Set([
  StatementType.SELECT,
  StatementType.INSERT,
  StatementType.UPDATE,
  StatementType.DELETE,
  StatementType.CREATE,
  StatementType.DROP,
]);

/** Objects are given so many at a time: what is given lives until the next ones are asked for. */
const pieceRows = 256;

/**
 * One consistent reading of the index. The session lives inside a READ ONLY transaction: DuckDB
 * itself then refuses every write but those to temporary tables, and the statement kinds that
 * could leave the transaction or touch files are refused before they run.
 */
export class IndexSession implements ReadSession {
  readonly #connection: Connection;
  readonly #onClose: () => void;
  #exports = 0;
  #closed = false;

  private constructor(connection: Connection, onClose: () => void) {
    this.#connection = connection;
    this.#onClose = onClose;
  }

  static async begin(connection: Connection, onClose: () => void): Promise<IndexSession> {
    await connection.run("BEGIN TRANSACTION READ ONLY");
    // A transaction reads from the moment of its first look at the data, so it looks now.
    await connection.row("SELECT commits FROM counters");
    return new IndexSession(connection, onClose);
  }

  async run(statement: SqlStatement): Promise<void> {
    this.#requireOpen();
    await this.#connection.run(statement.text, statement.parameters, only(temporaryWork));
  }

  async release(temporaryTable: string): Promise<void> {
    this.#requireOpen();
    await releaseTable(this.#connection, temporaryTable);
  }

  async rows(statement: SqlStatement): Promise<readonly SqlRow[]> {
    this.#requireOpen();
    return await this.#connection.rows(statement.text, statement.parameters, only(selections));
  }

  async *columns(statement: SqlStatement): AsyncGenerator<ColumnBatch> {
    this.#requireOpen();
    yield* this.#connection.columns(statement, only(selections));
  }

  /**
   * Columns of a statement that a person wrote: exactly one SELECT that reads only what the
   * index holds. See `requireSingleSelect`.
   */
  async *userColumns(text: string): AsyncGenerator<ColumnBatch> {
    this.#requireOpen();
    await requireSingleSelect(this.#connection, text);
    yield* this.#connection.columns({ text, parameters: [] });
  }

  /** Arrow's interprocess format of what a statement gives, in pieces. */
  async *arrow(statement: SqlStatement, form: IpcForm): AsyncGenerator<ArrowPiece> {
    this.#requireOpen();
    yield* this.#connection.arrow(statement, form, only(selections));
  }

  /** The same of a statement that a person wrote. */
  async *userArrow(text: string, form: IpcForm): AsyncGenerator<ArrowPiece> {
    this.#requireOpen();
    await requireSingleSelect(this.#connection, text);
    yield* this.#connection.arrow({ text, parameters: [] }, form);
  }

  /** Objects in pieces; the statement gives rows of the view `object`. */
  async *objects(statement: SqlStatement, now: Date): AsyncGenerator<readonly ObjectSummary[]> {
    this.#requireOpen();
    const summarise = await summariser(this.#connection, now);
    for await (const batch of this.columns(statement)) {
      for (let from = 0; from < batch.rows; from += pieceRows) {
        yield batchRows<SummaryRow>(batch, from, from + pieceRows).map(summarise);
      }
    }
  }

  /** The configured backends, with what was known at a time of those that are one storage. */
  async backends(at: Date): Promise<readonly Backend[]> {
    this.#requireOpen();
    return await listBackends(this.#connection, at);
  }

  async heat(): Promise<HeatSettings> {
    this.#requireOpen();
    return await heatSettings(this.#connection);
  }

  /** Every backend that there ever was, with whether it is still configured. */
  async holders(): Promise<readonly Holder[]> {
    this.#requireOpen();
    return await listHolders(this.#connection);
  }

  /**
   * The file appears whole, under its name, or not at all. The same rows give the same bytes
   * whatever the thread count, because the query orders them.
   */
  exportParquet(statement: SqlStatement, path: string): Promise<{ rows: number; bytes: number }> {
    return this.exportRows(statement, path, "parquet");
  }

  async exportRows(
    statement: SqlStatement,
    path: string,
    format: RowFormat,
  ): Promise<{ rows: number; bytes: number }> {
    this.#requireOpen();
    await this.#connection.requireSelection(statement.text);
    if (!/\border\s+by\b/i.test(statement.text)) {
      throw new EngineError("INTERNAL", "an export needs an ORDER BY to be reproducible");
    }
    return await this.#export(statement, path, format);
  }

  /** The same of a statement that a person wrote, in the order that it asks for, if any. */
  async exportUserRows(
    text: string,
    path: string,
    format: RowFormat,
  ): Promise<{ rows: number; bytes: number }> {
    this.#requireOpen();
    await requireSingleSelect(this.#connection, text);
    // What stands in parentheses below is one statement, and ends in no comment.
    const statement = { text: `${text.replace(/[;\s]+$/, "")}\n`, parameters: [] };
    return await this.#export(statement, path, format);
  }

  async #export(
    statement: SqlStatement,
    path: string,
    format: RowFormat,
  ): Promise<{ rows: number; bytes: number }> {
    this.#exports += 1;
    const unfinished = `${path}.${process.pid}-${this.#exports}.part`;
    try {
      const rows = await this.#write(statement, unfinished, format);
      await rename(unfinished, path);
      return { rows, bytes: (await stat(path)).size };
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
  }

  async #write(statement: SqlStatement, path: string, format: RowFormat): Promise<number> {
    if (format === "arrow") {
      return await writeArrowFile(path, this.#connection.arrow(statement, "file"));
    }
    const options = copyOptions[format];
    return await this.#connection.run(
      `COPY (${statement.text}) TO ${sqlLiteral(path)} (${options})`,
      statement.parameters,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // Its transaction, which wrote nothing, ends with it.
    await this.#connection.end();
    this.#onClose();
  }

  #requireOpen(): void {
    if (this.#closed) throw new EngineError("CANCELLED", "the read session has ended");
  }
}

const selections: ReadonlySet<StatementType> = new Set([StatementType.SELECT]);

function only(allowed: ReadonlySet<StatementType>): StatementCheck {
  return (kind) => {
    if (allowed.has(kind)) return;
    throw new EngineError("REFUSED", `a read session does not run ${StatementType[kind]}`, {
      hint: "read with SELECT; keep intermediate results in temporary tables",
    });
  };
}
