import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type DuckDBAppender,
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBPreparedStatement,
  type DuckDBResult,
  type StatementType,
} from "#index/duckdb.ts";
import { arrowPieces } from "#index/arrow/arrow-pieces.ts";
import type { IpcForm } from "#index/arrow/ipc-bytes.ts";
import { batchRows } from "#index/batch-rows.ts";
import { collectYoung } from "#index/collect-young.ts";
import { readColumn } from "#index/column-reader.ts";
import { indexError } from "#index/index-error.ts";
import { chunkRowsMax, stageChunk, type StageType, type StageValue } from "#index/stage-chunk.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ArrowPiece } from "#model/record-batch.ts";
import type { ColumnBatch, SqlRow, SqlStatement, SqlValue } from "#model/sql.ts";

export { micros } from "#index/micros.ts";
export type { StageType, StageValue };

/** Asked what kind of statement it is before it runs; throws to refuse it. */
export type StatementCheck = (kind: StatementType) => void;

/** So many chunks may wait, after they were read, for their memory to be freed. */
const chunksKept = 8;

/** A DuckDB connection with the bindings, conversions and errors the index wants. */
export class Connection {
  readonly duckdb: DuckDBConnection;
  readonly #onClose: () => void;
  /** What DuckDB's threads are at: a connection that is taken away under them ends the process. */
  readonly #running = new Set<Promise<unknown>>();
  #ended = false;
  /** Whether somebody reads a stream, which DuckDB ends when another statement begins. */
  #streaming = false;

  constructor(duckdb: DuckDBConnection, onClose: () => void = () => undefined) {
    this.duckdb = duckdb;
    this.#onClose = onClose;
  }

  /** Runs one statement for its effect; says how many rows it changed. */
  async run(
    text: string,
    parameters: readonly SqlValue[] = [],
    check?: StatementCheck,
  ): Promise<number> {
    const prepared = await this.prepare({ text, parameters }, check);
    try {
      return (await this.#guard(() => prepared.run())).rowsChanged;
    } finally {
      prepared.destroySync();
    }
  }

  /** Rows as objects: BIGINT as number when safe, times as Date, BLOB as bytes. */
  async rows<Row extends SqlRow>(
    text: string,
    parameters: readonly SqlValue[] = [],
    check?: StatementCheck,
  ): Promise<readonly Row[]> {
    const prepared = await this.prepare({ text, parameters }, check);
    try {
      // Whole, unlike a stream: another statement may begin before all of it is read.
      const result = await this.#guard(() => prepared.run());
      const rows: SqlRow[] = [];
      for await (const batch of this.#columnsOf(result)) rows.push(...batchRows(batch));
      return rows as readonly Row[];
    } finally {
      prepared.destroySync();
    }
  }

  /** The first row, which the statement must have. */
  async row<Row extends SqlRow>(text: string, parameters: readonly SqlValue[] = []): Promise<Row> {
    const [row] = await this.rows<Row>(text, parameters);
    if (row === undefined) throw indexError(new Error(`no row: ${text}`));
    return row;
  }

  /**
   * Streams a result column by column; the values are copies that outlive the statement. Nothing
   * else may begin on this connection before the last of them: it would silently end the stream.
   */
  async *columns(statement: SqlStatement, check?: StatementCheck): AsyncGenerator<ColumnBatch> {
    const prepared = await this.prepare(statement, check);
    try {
      yield* this.#columnsOf(await this.#stream(prepared));
    } finally {
      this.#streaming = false;
      prepared.destroySync();
    }
  }

  async *#columnsOf(result: DuckDBResult): AsyncGenerator<ColumnBatch> {
    const names = result.deduplicatedColumnNames();
    for await (const chunk of this.#chunks(result)) {
      const columns = names.map((_, column) => readColumn(chunk.getColumnVector(column)));
      yield { rows: chunk.rowCount, names, columns };
    }
  }

  /** Streams a result as the bytes of Arrow's interprocess format. */
  async *arrow(
    statement: SqlStatement,
    form: IpcForm,
    check?: StatementCheck,
  ): AsyncGenerator<ArrowPiece> {
    const prepared = await this.prepare(statement, check);
    try {
      const result = await this.#stream(prepared);
      yield* arrowPieces(result, this.#chunks(result), form);
    } finally {
      this.#streaming = false;
      prepared.destroySync();
    }
  }

  async #stream(prepared: DuckDBPreparedStatement): Promise<DuckDBResult> {
    this.#streaming = true;
    return await this.#guard(() => prepared.stream());
  }

  #refuseWhileStreaming(what: string): void {
    if (!this.#streaming) return;
    throw new EngineError("INTERNAL", `a stream is being read on the connection for: ${what}`);
  }

  /** DuckDB works on the next chunk while something is made of this one. */
  async *#chunks(result: DuckDBResult): AsyncGenerator<DuckDBDataChunk> {
    const fetch = () => {
      const chunk = this.#guard(() => result.fetchChunk());
      // It is looked at when it is its turn; until then it must not count as unhandled.
      chunk.catch(() => undefined);
      return chunk;
    };
    let next = fetch();
    try {
      for (let read = 1; ; read += 1) {
        const chunk = await next;
        if (read % chunksKept === 0) collectYoung();
        if (chunk === null || chunk.rowCount === 0) return;
        next = fetch();
        yield chunk;
      }
    } finally {
      await Promise.allSettled([next]);
    }
  }

  /**
   * Refuses what is not one whole SELECT, and so cannot be part of another statement. It is only
   * parsed: to prepare it would plan it, which is done once more with the other statement.
   */
  async requireSelection(text: string): Promise<void> {
    this.#refuseWhileStreaming(text);
    // Nothing else stands in parentheses after FROM; what closes them itself makes other statements.
    const parsed = await this.#guard(() => this.duckdb.extractStatements(`FROM (${text}\n)`));
    if (parsed.count !== 1) throw new EngineError("REFUSED", `not one SELECT: ${text}`);
  }

  /** What the check lets pass, with its values; the caller destroys it. */
  async prepare(statement: SqlStatement, check?: StatementCheck): Promise<DuckDBPreparedStatement> {
    this.#refuseWhileStreaming(statement.text);
    const prepared = await this.#guard(() => this.duckdb.prepare(statement.text));
    try {
      check?.(prepared.statementType);
      statement.parameters.forEach((value, position) => {
        bindValue(prepared, position + 1, value);
      });
    } catch (error) {
      prepared.destroySync();
      throw indexError(error);
    }
    return prepared;
  }

  /** Fills a fresh temporary table; `schema` gives its columns in the order of the row values. */
  async stage(
    table: string,
    schema: Readonly<Record<string, StageType>>,
    rows: readonly (readonly StageValue[])[],
  ): Promise<void> {
    const columns = Object.entries(schema);
    const list = columns.map(([name, type]) => `${name} ${type}`).join(", ");
    await this.run(`CREATE OR REPLACE TEMP TABLE ${table} (${list})`);
    await this.appendStage(table, Object.values(schema), rows);
  }

  /** Adds rows to a table that `stage` made. */
  async appendStage(
    table: string,
    types: readonly StageType[],
    rows: readonly (readonly StageValue[])[],
  ): Promise<void> {
    await this.#append(() => this.duckdb.createAppender(table, "main", "temp"), types, rows);
  }

  /** Adds rows to a table of the index, which has columns of these types in this order. */
  async append(
    table: string,
    types: readonly StageType[],
    rows: readonly (readonly StageValue[])[],
  ): Promise<void> {
    await this.#append(() => this.duckdb.createAppender(table, "main"), types, rows);
  }

  async #append(
    create: () => Promise<DuckDBAppender>,
    types: readonly StageType[],
    rows: readonly (readonly StageValue[])[],
  ): Promise<void> {
    if (rows.length === 0) return;
    this.#refuseWhileStreaming("an appender");
    const appender = await this.#guard(create);
    try {
      for (let start = 0; start < rows.length; start += chunkRowsMax) {
        appender.appendDataChunk(stageChunk(types, rows.slice(start, start + chunkRowsMax)));
      }
      appender.flushSync();
    } catch (error) {
      throw indexError(error);
    } finally {
      appender.closeSync();
    }
  }

  /** For whoever has awaited all that was asked for. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closeNow();
  }

  /** Interrupts what runs, waits until it has let go, and closes. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.duckdb.interrupt();
    do {
      await Promise.allSettled(this.#running);
      // Who was answered just now reads the answer first: afterwards it would say nothing true.
      await nextTurn();
    } while (this.#running.size > 0);
    this.#closeNow();
  }

  #closeNow(): void {
    this.duckdb.closeSync();
    this.#onClose();
  }

  async #guard<T>(begin: () => Promise<T>): Promise<T> {
    if (this.#ended) throw new EngineError("CANCELLED", "the connection to the index is closed");
    const work = begin();
    this.#running.add(work);
    try {
      return await work;
    } catch (error) {
      throw indexError(error);
    } finally {
      this.#running.delete(work);
    }
  }
}

// Integers are bound as BIGINT, never as DOUBLE: a DOUBLE on one side of a comparison turns the
// column into DOUBLE too, and then neither zone maps nor indexes help.
function bindValue(
  prepared: DuckDBPreparedStatement,
  position: number,
  value: SqlValue | undefined,
): void {
  if (value === null || value === undefined) prepared.bindNull(position);
  else if (typeof value === "boolean") prepared.bindBoolean(position, value);
  else if (typeof value === "string") prepared.bindVarchar(position, value);
  else if (typeof value === "bigint") bindInteger(prepared, position, value);
  else if (typeof value === "number") {
    if (Number.isSafeInteger(value)) prepared.bindBigInt(position, BigInt(value));
    else prepared.bindDouble(position, value);
  } else prepared.bindBlob(position, value);
}

function bindInteger(prepared: DuckDBPreparedStatement, position: number, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) prepared.bindBigInt(position, value);
  else prepared.bindHugeInt(position, value);
}
