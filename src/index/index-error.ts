import { EngineError } from "#model/engine-error.ts";

/** Turns what DuckDB throws into the error a person can act on. */
export function indexError(thrown: unknown, path?: string): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const where = path === undefined ? "the index" : `the index ${path}`;
  const known = patterns.find((pattern) => pattern.match.test(message));
  if (known === undefined) {
    return new EngineError("INTERNAL", `${where}: ${message}`, { cause: thrown });
  }
  return new EngineError(known.code, `${where} ${known.message}: ${firstLine(message)}`, {
    hint: known.hint,
    cause: thrown,
  });
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}

const patterns = [
  {
    match: /could not set lock on file|conflicting lock|being used by another process/i,
    code: "LOCKED",
    message: "is open in another process",
    hint: "talk to the running controller instead, or stop it first",
  },
  {
    match: /no space left on device|disk full|out of disk/i,
    code: "NO_SPACE",
    message: "could not be written",
    hint: "free space on the disk of the data directory; nothing was lost, the write was undone",
  },
  {
    match: /permission denied|cannot open file|read-only file system/i,
    code: "UNREADABLE",
    message: "cannot be opened",
    hint: "check that the data directory exists and belongs to the user who runs the engine",
  },
  {
    match:
      /not a valid duckdb database|checksum|corrupt|failed to deserialize|serialization error|invalid magic|wal file/i,
    code: "CORRUPT",
    message: "is damaged",
    hint: "move it aside and restore the newest snapshot, or import the inventories again",
  },
  {
    match: /^interrupt error|interrupted!/i,
    code: "CANCELLED",
    message: "was closed before it had answered",
    hint: "ask again",
  },
  {
    match: /out of memory|failed to allocate/i,
    code: "NO_SPACE",
    message: "ran out of its memory limit",
    hint: "raise the memory limit of the index in the configuration",
  },
  {
    match: /launched in read-only mode|attached in read-only mode/i,
    code: "REFUSED",
    message: "cannot be written here",
    hint: "read sessions may only make temporary tables",
  },
  {
    match: /^(parser|binder|catalog|conversion|invalid input|out of range|syntax) error/i,
    code: "USAGE",
    message: "cannot answer this statement",
    hint: "correct the SQL; the views are object, copy, name, tag, access_day, backend, ledger",
  },
] as const;
