import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { EngineError } from "#model/engine-error.ts";
import type { CommandIo } from "#cli/command-io.ts";

/** No server logs longer lines; one that is read in full would fill the memory. */
const lineLengthMax = 1024 ** 2;

/**
 * The lines of a log: a file, a file packed with gzip (`.gz`), or `-` for standard input. A last
 * line without its end is still being written and is left for the next import, unless nothing
 * can come any more (a packed file, standard input) or it is a whole JSON object.
 */
export async function* readLogLines(
  file: string,
  io: CommandIo,
  onUnfinished: () => void = () => undefined,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of open(file, io)) {
    const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > lineLengthMax) throw notALog(file);
    yield* lines;
  }
  rest += decoder.decode();
  if (rest === "") return;
  if (file === "-" || isPacked(file) || isWholeObject(rest)) yield rest;
  else onUnfinished();
}

async function* open(file: string, io: CommandIo): AsyncGenerator<Uint8Array | string> {
  if (file === "-") {
    yield* io.stdin;
    return;
  }
  const path = resolve(io.cwd, file);
  await requireFile(file, path);
  const stream = createReadStream(path);
  try {
    // The callback is for the stream; what goes wrong is thrown by the one that is read.
    yield* isPacked(file) ? pipeline(stream, createGunzip(), () => undefined) : stream;
  } catch (cause) {
    throw unreadable(file, cause);
  } finally {
    stream.destroy();
  }
}

/** A log is read twice, first for what it is known by: a pipe would be empty then, or never end. */
async function requireFile(file: string, path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  if (found.isFile()) return;
  if (found.isDirectory()) {
    throw new EngineError("USAGE", `${file} is a folder, no access log`, {
      hint: "name one log after the other: what was counted of each is known by itself",
    });
  }
  throw new EngineError("USAGE", `${file} is no file but a pipe, socket or device`, {
    hint: `give it as a stream: thermocline import access - < ${file}`,
  });
}

function unreadable(file: string, cause: unknown): EngineError {
  return new EngineError("UNREADABLE", `the access log ${file} cannot be read`, {
    cause,
    hint: "check that the file exists, is whole, and that this user may read it",
  });
}

function isPacked(file: string): boolean {
  return file.endsWith(".gz");
}

function isWholeObject(text: string): boolean {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

function notALog(file: string): EngineError {
  return new EngineError("UNREADABLE", `a line of ${file} is over ${lineLengthMax} characters`, {
    hint: "this is no access log; one packed with gzip must be called *.gz",
  });
}
