import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { csvCells, leavesQuoteOpen } from "#index/row-files/csv-record.ts";
import type { PieceBounds } from "#index/row-files/row-file-source.ts";
import { unreadable } from "#index/row-files/unreadable.ts";

/** How a text file is packed. */
export type Packing = "none" | "gzip" | "zstd";

/** Records of a text file, each with the number of its first line (from 0). */
export interface TextPiece {
  readonly positions: readonly number[];
  readonly texts: readonly string[];
  /** Why a record could not be read, where it could not. */
  readonly problems: readonly (string | null)[];
  /** Lines up to the end of this piece. */
  readonly past: number;
  /** Bytes of the file, as it lies there, that were read for it. */
  readonly bytesRead: number;
}

export interface TextOptions extends PieceBounds {
  readonly packing: Packing;
  /** Of CSV, where a record goes on in the next line while a quotation mark is open. */
  readonly delimiter: string | undefined;
}

/** A line or record beyond this is not kept whole: it would be a file without ends of lines. */
const recordCharsMax = 1024 ** 2;
const keptCharsMax = 1_000;
/** A quotation mark that is open for longer was never meant as one. */
const recordLinesMax = 1_000;
/** So that a piece of lines as most are is not cut short; see `pieceRowsMax`. */
const pieceCharsMax = 32 * 1024 ** 2;
const byteOrderMark = "\uFEFF";

/** The records of a text file in pieces; blank lines are none. */
export async function* textRecords(path: string, options: TextOptions): AsyncGenerator<TextPiece> {
  const file = createReadStream(path, { highWaterMark: 1024 ** 2 });
  const reader = new RecordReader(options);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  try {
    for await (const chunk of unpacked(file, options.packing)) {
      reader.add(decoder.decode(chunk, { stream: true }));
      while (reader.hasPiece) yield reader.take(file.bytesRead);
    }
    reader.add(decoder.decode());
    reader.end();
    while (reader.hasRest) yield reader.take(file.bytesRead);
  } catch (thrown) {
    throw unreadable(path, thrown);
  } finally {
    file.destroy();
  }
}

function unpacked(file: NodeJS.ReadableStream, packing: Packing): AsyncIterable<Uint8Array> {
  if (packing === "gzip") return pipeline(file, createGunzip(), thrownByReading);
  if (packing === "zstd") return pipeline(file, createZstdDecompress(), thrownByReading);
  return file as AsyncIterable<Uint8Array>;
}

/** What goes wrong in a pipeline is thrown by the stream that is read. */
function thrownByReading(): void {
  // Nothing is left to be done here.
}

class RecordReader {
  readonly #after: number;
  readonly #pieceRows: number;
  readonly #delimiter: string | undefined;
  /** Whole lines that are not yet part of a record; a cut one ends in no line feed. */
  #lines: string[] = [];
  #next = 0;
  #rest = "";
  /** Within a line that is longer than anything that is kept. */
  #skipping = false;
  #line = 0;
  #ended = false;
  #positions: number[] = [];
  #texts: string[] = [];
  #problems: (string | null)[] = [];
  #chars = 0;

  constructor({ after, rows, delimiter }: TextOptions) {
    this.#pieceRows = rows;
    this.#after = after;
    this.#delimiter = delimiter;
  }

  get hasPiece(): boolean {
    return this.#positions.length >= this.#pieceRows || this.#chars >= pieceCharsMax;
  }

  get hasRest(): boolean {
    return this.#positions.length > 0 || this.#next < this.#lines.length;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#skipping && lines.length > 0) {
      lines.shift();
      this.#skipping = false;
    }
    if (this.#skipping) this.#rest = "";
    this.#lines = [...this.#lines.slice(this.#next), ...lines];
    this.#next = 0;
    if (this.#rest.length > recordCharsMax) {
      this.#lines.push(this.#rest);
      [this.#rest, this.#skipping] = ["", true];
    }
    this.#collect();
  }

  end(): void {
    if (this.#rest !== "") this.#lines.push(this.#rest);
    [this.#rest, this.#ended] = ["", true];
    this.#collect();
  }

  take(bytesRead: number): TextPiece {
    const piece = {
      positions: this.#positions,
      texts: this.#texts,
      problems: this.#problems,
      past: this.#line,
      bytesRead,
    };
    [this.#positions, this.#texts, this.#problems, this.#chars] = [[], [], [], 0];
    this.#collect();
    return piece;
  }

  /** Makes records of the lines that are there, until the piece is full. */
  #collect(): void {
    while (this.#next < this.#lines.length && !this.hasPiece) {
      const first = this.#lines[this.#next] ?? "";
      if (this.#delimiter === undefined || !first.includes('"')) {
        this.#record(first, 1, null);
        continue;
      }
      const found = this.#joined(first, this.#delimiter);
      if (found === undefined) return;
      this.#record(found.text, found.lines, found.problem);
    }
  }

  /** A record that begins with this line; undefined while its end has not been read. */
  #joined(
    first: string,
    delimiter: string,
  ): { text: string; lines: number; problem: string | null } | undefined {
    let text = first;
    let lines = 1;
    let isOpen = leavesQuoteOpen(first, 0, false);
    while (isOpen && lines < recordLinesMax && text.length < recordCharsMax) {
      const next = this.#lines[this.#next + lines];
      if (next === undefined && !this.#ended) return undefined;
      if (next === undefined) break;
      const from = text.length + 1;
      text = `${text}\n${next}`;
      lines += 1;
      isOpen = leavesQuoteOpen(text, from, true);
    }
    // A stray mark must not swallow the lines behind it: it spoils its own line only.
    if (isOpen) return { text: first, lines: 1, problem: "a quotation mark is not closed" };
    const plain = text.endsWith("\r") ? text.slice(0, -1) : text;
    if (lines === 1 || csvCells(plain, delimiter) !== undefined) {
      return { text, lines, problem: null };
    }
    return { text: first, lines: 1, problem: "a quotation mark is misplaced" };
  }

  #record(text: string, lines: number, problem: string | null): void {
    const position = this.#line;
    this.#line += lines;
    this.#next += lines;
    if (position < this.#after) return;
    const end = text.endsWith("\r") ? text.length - 1 : text.length;
    const start = position === 0 && text.startsWith(byteOrderMark) ? 1 : 0;
    const plain = start === 0 && end === text.length ? text : text.slice(start, end);
    if (plain.trim() === "") return;
    const isTooLong = plain.length > recordCharsMax;
    this.#positions.push(position);
    this.#texts.push(isTooLong || problem !== null ? plain.slice(0, keptCharsMax) : plain);
    this.#problems.push(problem ?? problemOf(plain, isTooLong));
    this.#chars += plain.length;
  }
}

function problemOf(text: string, isTooLong: boolean): string | null {
  if (isTooLong) return "it is longer than a mebibyte";
  return text.includes("\uFFFD") ? "it is not UTF-8" : null;
}
