import { createHash } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "#model/engine-error.ts";

/** A file of nothing but noise must not fill the disk: what is beyond is only counted. */
const keptBytesMax = 64 * 1024 ** 2;

/** A line of a file that could not be read. */
export interface MalformedLine {
  readonly line: number;
  readonly reason: string;
  readonly text: string;
}

/** The file that keeps the malformed lines of one imported file, as NDJSON. */
export class MalformedLines {
  readonly path: string;
  readonly #folder: string;
  #bytes: number;

  /** `bytes` of the file are of lines that were counted; what stands behind them is not. */
  constructor(folder: string, logId: string, bytes: number) {
    const name = createHash("sha256").update(logId).digest("hex").slice(0, 32);
    this.#folder = folder;
    this.path = join(folder, `${name}.malformed.ndjson`);
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** On disk when it resolves, so that the cursor of the file may move behind these lines. */
  async keep(lines: readonly MalformedLine[]): Promise<void> {
    if (lines.length === 0) return;
    try {
      await this.#append(lines);
    } catch (cause) {
      throw new EngineError("UNREADABLE", `${this.path} cannot be written`, {
        cause,
        hint: "malformed lines are kept there: make the data directory writable, import again",
      });
    }
  }

  async #append(lines: readonly MalformedLine[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await using file = await open(this.path, "a+", 0o600);
    const { size } = await file.stat();
    // An import that was killed may have left lines that it had not counted.
    this.#bytes = Math.min(this.#bytes, size);
    await file.truncate(this.#bytes);
    let text = "";
    for (const line of lines) {
      const next = `${JSON.stringify(line)}\n`;
      if (this.#bytes + Buffer.byteLength(next) > keptBytesMax) break;
      text += next;
      this.#bytes += Buffer.byteLength(next);
    }
    await file.appendFile(text);
    await file.sync();
  }
}
