import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { parseRecord } from "#engine/batches/batch-record.ts";
import { EngineError } from "#model/engine-error.ts";
import type { BatchRecord, ToldBatch } from "#model/record-batch.ts";

/** A segment of the journal that is as long as this is followed by the next. */
const defaultSegmentBytes = 16 * 1024 * 1024;
/** Read at a time: no record is longer. */
const readBytes = 1024 * 1024;
const newline = 0x0a;

/** A place in the journal: the number of a segment, and a byte in it. */
export interface JournalPlace {
  readonly segment: number;
  readonly offset: number;
}

/**
 * What was published, in order: files of lines that any number of processes append to and read,
 * without a lock. A record is written by one appending call, between line ends, so that one that
 * somebody died in spoils no other. Who appends to a segment when the next one has begun, which
 * readers may have gone on to, appends to that one too: a record is told at least once.
 *
 * The calls are the synchronous ones: a record takes microseconds, and less than a change of
 * threads would.
 */
export class BatchJournal {
  readonly directory: string;
  readonly #segmentBytes: number;
  #open: { readonly segment: number; readonly file: number } | undefined;

  constructor(directory: string, segmentBytes: number = defaultSegmentBytes) {
    this.directory = directory;
    this.#segmentBytes = segmentBytes;
  }

  append(record: BatchRecord, durable: boolean): void {
    const line = Buffer.from(`\n${JSON.stringify(record)}\n`);
    if (line.length > readBytes) {
      throw new EngineError("USAGE", `the tags and columns of ${record.cid} are too long`, {
        hint: `they may take ${readBytes} bytes as JSON`,
      });
    }
    for (;;) {
      const { segment, file } = this.#newest();
      if (writeSync(file, line) < line.length) {
        throw new EngineError("NO_SPACE", `${this.directory} has no room for another record`);
      }
      if (durable) fdatasyncSync(file);
      const { size, nlink } = fstatSync(file);
      if (nlink > 0 && !existsSync(this.path(segment + 1))) {
        if (size >= this.#segmentBytes) this.#begin(segment + 1);
        return;
      }
      this.close();
    }
  }

  /** Records from a place on, as far as they are there, and the place after them. */
  read(from: JournalPlace): {
    readonly records: readonly ToldBatch[];
    readonly next: JournalPlace;
  } {
    const segment = this.segments().find((known) => known >= from.segment);
    if (segment === undefined) return { records: [], next: from };
    const place = { segment, offset: segment === from.segment ? from.offset : 0 };
    // Asked before reading: what is appended here after the reading is appended there too.
    const isClosed = existsSync(this.path(segment + 1));
    const found = this.#readSegment(place);
    const atEnd = found.next.offset === place.offset;
    if (atEnd && isClosed) return this.read({ segment: segment + 1, offset: 0 });
    return found;
  }

  /** The place after everything that is there. */
  end(): JournalPlace {
    const segment = this.segments().at(-1);
    if (segment === undefined) return journalBegin;
    const file = openSync(this.path(segment), "r");
    try {
      return { segment, offset: fstatSync(file).size };
    } finally {
      closeSync(file);
    }
  }

  /** Numbers of the segments, the oldest first. */
  segments(): readonly number[] {
    if (!existsSync(this.directory)) return [];
    const names = readdirSync(this.directory).filter((name) => /^\d{8}\.ndjson$/.test(name));
    return names.map((name) => Number.parseInt(name, 10)).toSorted((a, b) => a - b);
  }

  path(segment: number): string {
    return join(this.directory, `${String(segment).padStart(8, "0")}.ndjson`);
  }

  /** Lets go of the segment; whatever is appended afterwards takes it up again. */
  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.file);
    this.#open = undefined;
  }

  #newest(): { readonly segment: number; readonly file: number } {
    if (this.#open !== undefined) return this.#open;
    mkdirSync(this.directory, { recursive: true });
    const segment = this.segments().at(-1) ?? 1;
    this.#open = { segment, file: openSync(this.path(segment), "a") };
    return this.#open;
  }

  #openToRead(segment: number): number | undefined {
    try {
      return openSync(this.path(segment), "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  #begin(segment: number): void {
    closeSync(openSync(this.path(segment), "a"));
    this.close();
  }

  #readSegment({ segment, offset }: JournalPlace) {
    const file = this.#openToRead(segment);
    // It was given up just now; what came after it is found next time.
    if (file === undefined) return { records: [], next: { segment, offset } };
    const buffer = Buffer.allocUnsafe(readBytes);
    try {
      const length = readSync(file, buffer, 0, readBytes, offset);
      return recordsOf(buffer.subarray(0, length), { segment, offset });
    } finally {
      closeSync(file);
    }
  }
}

/** Before everything. */
export const journalBegin: JournalPlace = { segment: 1, offset: 0 };

/** A place as text, for those who come back to it. */
export function cursorOf({ segment, offset }: JournalPlace): string {
  return `${segment}.${offset}`;
}

export function parseCursor(text: string): JournalPlace {
  const [, segment, offset] = /^(\d{1,8})\.(\d{1,15})$/.exec(text) ?? [];
  if (segment === undefined || offset === undefined) {
    throw new EngineError("USAGE", `"${text}" is no cursor of the batch registry`, {
      hint: 'give one that came with a batch, such as "1.2048", or none',
    });
  }
  return { segment: Number(segment), offset: Number(offset) };
}

/** The whole lines among these bytes; one that is not finished yet is left for later. */
function recordsOf(bytes: Buffer, { segment, offset }: JournalPlace) {
  const records: ToldBatch[] = [];
  let start = 0;
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
    const batch = end > start ? parseRecord(bytes.toString("utf8", start, end)) : undefined;
    start = end + 1;
    if (batch === undefined) continue;
    records.push({ cursor: cursorOf({ segment, offset: offset + start }), batch });
  }
  // A line as long as this is nobody's record.
  if (start === 0 && bytes.length === readBytes) start = bytes.length;
  return { records, next: { segment, offset: offset + start } };
}
