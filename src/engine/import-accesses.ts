import { createHash } from "node:crypto";
import { dataPaths } from "#config/data-paths.ts";
import type { EngineContext } from "#engine/context.ts";
import { type MalformedLine, MalformedLines } from "#engine/malformed-lines.ts";
import { AccessLogReader } from "#index/access-logs/access-log-reader.ts";
import type { AccessLogCursor, AccessLogOptions } from "#model/access-log.ts";
import type { AccessImportReport } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Access } from "#model/index-store.ts";

/** What of the engine an import needs. */
export interface AccessImportContext {
  readonly index: {
    readonly accessLogs: Pick<EngineContext["index"]["accessLogs"], "cursor" | "count">;
  };
  readonly config: Pick<EngineContext["config"], "dataDirectory">;
}

/** Lines that are counted in one transaction. */
const linesPerPiece = 100_000;
/** So many characters of lines end a piece as well: it is held, and staged, as a whole. */
const charsPerPiece = 32 * 1024 ** 2;
/** Of a malformed line its beginning is kept. */
const keptCharsMax = 4_096;
const examplesMax = 5;

/**
 * Counts an access log into heat, a piece at a time; with each piece the cursor of the log moves.
 * When the log comes again, whole or grown, the lines before the cursor are only hashed, to know
 * that they are the same ones, and what stands behind them is counted.
 */
export async function importAccesses(
  context: AccessImportContext,
  logId: string,
  lines: AsyncIterable<string>,
  options: AccessLogOptions = {},
): Promise<AccessImportReport> {
  const known = await context.index.accessLogs.cursor(logId);
  const log = new LogImport(context, logId, known, options);
  for await (const line of lines) await log.take(line.endsWith("\r") ? line.slice(0, -1) : line);
  return await log.end();
}

class LogImport {
  readonly #context: AccessImportContext;
  readonly #logId: string;
  readonly #known: AccessLogCursor | undefined;
  readonly #reader: AccessLogReader;
  readonly #kept: MalformedLines;
  readonly #hash = createHash("sha256");
  readonly #examples: string[] = [];
  readonly #counts = { lines: 0, ignored: 0, malformed: 0, applied: 0, unknown: 0 };
  /** Lines taken so far, and up to where they are counted. */
  #line = 0;
  #counted: number;
  #accesses: Access[] = [];
  #malformed: MalformedLine[] = [];
  /** Of the lines that those two are of. */
  #chars = 0;

  constructor(
    context: AccessImportContext,
    logId: string,
    known: AccessLogCursor | undefined,
    { format = "ndjson", prefix = "" }: AccessLogOptions,
  ) {
    this.#context = context;
    this.#logId = logId;
    this.#known = known;
    this.#counted = known?.lines ?? 0;
    this.#reader = new AccessLogReader(format, prefix.replace(/\/+$/, ""));
    const folder = dataPaths(context.config.dataDirectory).accessLogs;
    this.#kept = new MalformedLines(folder, logId, known?.keptBytes ?? 0);
  }

  async take(line: string): Promise<void> {
    this.#line += 1;
    this.#hash.update(line).update("\n");
    const isEmpty = line.trim() === "";
    if (this.#line <= this.#earlier) {
      if (!isEmpty) this.#reader.pass(line);
      if (this.#line === this.#earlier) this.#requireSameLog();
      return;
    }
    if (!isEmpty) this.#read(line);
    if (this.#hasPiece) await this.#count();
  }

  async end(): Promise<AccessImportReport> {
    if (this.#line < this.#earlier) throw this.#otherLog("is shorter than");
    if (this.#line > this.#counted) await this.#count();
    const { format } = this.#reader;
    return {
      ...this.#counts,
      repeated: this.#earlier > 0 && this.#line === this.#earlier,
      earlier: this.#earlier,
      examples: this.#examples,
      format,
      malformedFile: this.#kept.bytes === 0 ? undefined : this.#kept.path,
    };
  }

  get #earlier(): number {
    return this.#known?.lines ?? 0;
  }

  get #hasPiece(): boolean {
    return this.#line - this.#counted >= linesPerPiece || this.#chars >= charsPerPiece;
  }

  #read(line: string): void {
    this.#counts.lines += 1;
    const parsed = this.#reader.parse(line);
    // An access may be a part of its line, which lives as long.
    if (!("ignored" in parsed)) this.#chars += line.length;
    if ("access" in parsed) this.#accesses.push(parsed.access);
    else if ("ignored" in parsed) this.#counts.ignored += 1;
    else {
      const { problem } = parsed;
      this.#counts.malformed += 1;
      const text = line.slice(0, keptCharsMax);
      this.#malformed.push({ line: this.#line, reason: problem, text });
      if (this.#examples.length < examplesMax) {
        this.#examples.push(`line ${this.#line}: ${problem}`);
      }
    }
  }

  async #count(): Promise<void> {
    await this.#kept.keep(this.#malformed);
    const cursor = {
      lines: this.#line,
      digest: this.#hash.copy().digest("hex"),
      keptBytes: this.#kept.bytes,
    };
    const piece = { logId: this.#logId, after: this.#counted, cursor };
    const { applied, unknown } = await this.#context.index.accessLogs.count(piece, this.#accesses);
    this.#counts.applied += applied;
    this.#counts.unknown += unknown;
    this.#counted = this.#line;
    this.#accesses = [];
    this.#malformed = [];
    this.#chars = 0;
  }

  #requireSameLog(): void {
    if (this.#hash.copy().digest("hex") !== this.#known?.digest) throw this.#otherLog("is not");
  }

  #otherLog(how: string): EngineError {
    const message =
      `the log ${how} what was counted under the id ${this.#logId} before ` +
      `(${this.#earlier} lines): nothing was counted`;
    return new EngineError("CONFLICT", message, {
      retryable: false,
      hint: "if it is another log, give it an id of its own (--batch)",
    });
  }
}
