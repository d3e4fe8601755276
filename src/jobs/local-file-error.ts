import { EngineError } from "#model/engine-error.ts";

/** An error of reading a local file or folder, in words that say which and what to do. */
export function localFileError(thrown: unknown, path: string): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const { code = "" } = thrown as NodeJS.ErrnoException;
  const [what, hint] = reasons[code] ?? [`cannot be read (${messageOf(thrown)})`, undefined];
  return new EngineError(code === "ENOENT" ? "NOT_FOUND" : "UNREADABLE", `${path} ${what}`, {
    cause: thrown,
    ...(hint !== undefined && { hint }),
  });
}

const reasons: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOENT: ["is not there", "check the path; names that are not UTF-8 cannot be read"],
  ENOTDIR: ["is not a folder", "give a folder"],
  EISDIR: ["is a folder", "give a file"],
  EACCES: ["may not be read by this user", "change its permissions, or run as its owner"],
  EPERM: ["may not be read by this user", "change its permissions, or run as its owner"],
  EIO: ["cannot be read: the disk reports an error", "check the disk"],
  EMFILE: ["cannot be opened: too many open files", "raise the limit (ulimit -n)"],
};

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
