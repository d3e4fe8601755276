import { EngineError } from "#model/engine-error.ts";

/** What goes wrong within a file that could be opened. */
export function unreadable(path: string, cause: unknown): EngineError {
  const error = EngineError.from(cause);
  if (error.code === "CANCELLED" || error.code === "NO_SPACE") return error;
  return new EngineError("UNREADABLE", `${path} cannot be read to its end`, {
    cause,
    hint: "what stood before is imported; when the file is whole again, import it again",
  });
}
