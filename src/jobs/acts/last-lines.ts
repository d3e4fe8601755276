import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";

/** So many lines are kept, of so many characters in all: enough for an error and its trace. */
const linesMax = 20;
const charactersMax = 2_000;

/** A process that the command left behind may hold the other end open for ever. */
const patienceMs = 500;

/** Shorter values of variables are words that may stand anywhere. */
const hiddenValueMin = 6;

/**
 * Reads what a command writes, and keeps the end of it. Values of the variables that the command
 * was given are replaced by their names, since one of them may be a secret.
 */
export class LastLines {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #stream: Readable;
  readonly #ended: Promise<void>;
  #text = "";

  constructor(stream: Readable, environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
    this.#stream = stream;
    // What cannot be read tells nothing; how the command ended is known all the same.
    this.#ended = finished(stream).catch(() => undefined);
    // Twice as much as is kept, so that a value is whole where the kept part begins.
    stream.setEncoding("utf8").on("data", (piece: string) => {
      this.#text = (this.#text + piece).slice(-2 * charactersMax);
    });
  }

  /** Once the command has ended: what is still on its way. */
  async end(): Promise<void> {
    await Promise.race([this.#ended, sleep(patienceMs, undefined, { ref: false })]);
    this.#stream.destroy();
  }

  /** As details of an error; empty when nothing was written. */
  details(): { readonly output?: string } {
    const values = Object.entries(this.#environment)
      .filter(([, value]) => value.length >= hiddenValueMin)
      .toSorted(([, a], [, b]) => b.length - a.length);
    let text = stripVTControlCharacters(this.#text);
    for (const [name, value] of values) text = text.replaceAll(value, `$${name}`);
    const lines = text.split(/\r?\n|\r/u).filter((line) => line.trim() !== "");
    const output = lines.slice(-linesMax).join("\n").slice(-charactersMax);
    return output === "" ? {} : { output };
  }
}
