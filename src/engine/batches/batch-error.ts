import { EngineError } from "#model/engine-error.ts";

/** The bytes of a batch do not have the CID that it is named by. */
export function damagedBatch(path: string): EngineError {
  return new EngineError("CORRUPT", `${path} is damaged: its bytes have another CID`, {
    hint: "publish it again, and check the disk",
  });
}

/** An error of reading a batch, or a file that is to become one. */
export function unreadableBatch(path: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  return new EngineError(missing ? "NOT_FOUND" : "UNREADABLE", `${path} cannot be read`, {
    hint: missing ? "it was given up, or never there" : "check its permissions, and the disk",
    cause: error,
  });
}

/** An error of writing into the folder of the registry. */
export function unwritableBatch(path: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new EngineError(full ? "NO_SPACE" : "UNREADABLE", `${path}: ${message}`, {
    hint: full ? "make room, or give up old batches" : "check who may write there",
    cause: error,
  });
}
