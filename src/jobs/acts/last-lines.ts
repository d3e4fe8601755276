import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { type HiddenValue, hideValues } from "#jobs/acts/hide-values.ts";

/** So many lines are kept, of so many characters in all: enough for an error and its trace. */
const linesMax = 20;
const charactersMax = 2_000;

/** A process that the command left behind may hold the other end open for ever. */
const patienceMs = 500;

/** Shorter values of variables are words that may stand anywhere. */
const hiddenValueMin = 6;

/** Colours and links of a line are taken out once it is whole, or as long as this. */
const lineMax = 4_096;

/** Where a longer line is parted, no sequence of characters for a terminal is. */
const sequenceMax = 256;

/**
 * Reads what a command writes, and keeps the end of it. Values of the variables that the command
 * was given are replaced by their names, since one of them may be a secret.
 */
export class LastLines {
  readonly #values: readonly HiddenValue[];
  readonly #longest: number;
  readonly #stream: Readable;
  readonly #ended: Promise<void>;
  /** As it came: the line that has not ended. */
  #line = "";
  /** Readable, and a value may be going on where it ends. */
  #open = "";
  /** Without values; what is cut off in front is no part of one. */
  #text = "";

  constructor(stream: Readable, environment: Readonly<Record<string, string>>) {
    this.#values = Object.entries(environment)
      .map(([name, value]) => ({ name, value: stripVTControlCharacters(value) }))
      .filter(({ value }) => value.length >= hiddenValueMin);
    this.#longest = this.#values.reduce((most, { value }) => Math.max(most, value.length), 1);
    this.#stream = stream;
    // What cannot be read tells nothing; how the command ended is known all the same.
    this.#ended = finished(stream).catch(() => undefined);
    stream.setEncoding("utf8").on("data", (piece: string) => {
      this.#take(piece);
    });
  }

  /** Once the command has ended: what is still on its way. */
  async end(): Promise<void> {
    await Promise.race([this.#ended, sleep(patienceMs, undefined, { ref: false })]);
    this.#stream.destroy();
  }

  /** As details of an error; empty when nothing was written. */
  details(): { readonly output?: string } {
    const last = this.#open + stripVTControlCharacters(this.#line);
    const text = this.#text + hideValues(last, this.#values).hidden;
    const lines = text.split(/\r?\n|\r/u).filter((line) => line.trim() !== "");
    const output = lines.slice(-linesMax).join("\n").slice(-charactersMax);
    return output === "" ? {} : { output };
  }

  /** Values are replaced before anything is cut off: of half a value nobody knows what it is. */
  #take(piece: string): void {
    const come = this.#line + piece;
    const whole = wholeLines(come);
    this.#line = come.slice(whole);
    const readable = this.#open + stripVTControlCharacters(come.slice(0, whole));
    // From there on a value may begin that has not come to its end.
    const until = Math.max(0, readable.length - this.#longest + 1);
    const { hidden, rest } = hideValues(readable, this.#values, until);
    this.#open = rest;
    this.#text = (this.#text + hidden).slice(-2 * charactersMax);
  }
}

/** Where what can be made readable ends. */
function wholeLines(text: string): number {
  const end = Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1;
  if (text.length - end <= lineMax) return end;
  const sequence = Math.max(text.lastIndexOf("\u001B"), text.lastIndexOf("\u009B"));
  return text.length - sequence <= sequenceMax ? Math.max(sequence, end) : text.length;
}
