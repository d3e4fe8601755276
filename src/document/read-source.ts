import { readFile, stat } from "node:fs/promises";
import { EngineError } from "#model/engine-error.ts";
import type { DocumentSource } from "#document/document-source.ts";
import { documentLengthMax } from "#document/parse-documents.ts";

/** Reads a YAML file as UTF-8; `file` is the name that diagnostics show (default: the path). */
export async function readSource(path: string, file: string = path): Promise<DocumentSource> {
  const bytes = await readBytes(path, file);
  try {
    // The decoder drops a byte order mark; anything but UTF-8 is refused rather than guessed.
    return { file, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (cause) {
    throw new EngineError("UNREADABLE", `${file} is not UTF-8 text`, {
      cause,
      hint: "save it with the encoding UTF-8",
    });
  }
}

async function readBytes(path: string, file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > documentLengthMax) {
      throw new EngineError("UNREADABLE", `${file} has ${size} bytes: too large for a document`, {
        hint: `at most ${documentLengthMax} bytes are read; is it the right file?`,
      });
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (code === "ENOENT") {
      throw new EngineError("NOT_FOUND", `${file} does not exist`, {
        cause,
        hint: "check the path; relative paths start at the current directory",
      });
    }
    const reason = code === "EISDIR" ? "is a directory" : `cannot be read (${code})`;
    throw new EngineError("UNREADABLE", `${file} ${reason}`, {
      cause,
      hint: "give a file that this user may read",
    });
  }
}
