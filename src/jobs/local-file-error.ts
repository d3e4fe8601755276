import { EngineError, type ErrorCode } from "#model/engine-error.ts";

/** An error of reading a local file or folder, in words that say which and what to do. */
export function localFileError(thrown: unknown, path: string): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const { code = "" } = thrown as NodeJS.ErrnoException;
  const [what, hint] = reasons[code] ?? [`cannot be read (${messageOf(thrown)})`, undefined];
  return new EngineError(codes[code] ?? "UNREADABLE", `${path} ${what}`, {
    cause: thrown,
    ...(hint !== undefined && { hint }),
  });
}

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "NOT_FOUND",
  ENOSPC: "NO_SPACE",
  EDQUOT: "NO_SPACE",
  EFBIG: "NO_SPACE",
};

const reasons: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOENT: ["is not there", "check the path; names that are not UTF-8 cannot be read"],
  ENOTDIR: ["is not a folder", "give a folder"],
  EISDIR: ["is a folder", "give a file"],
  EACCES: ["may not be read by this user", "change its permissions, or run as its owner"],
  EPERM: ["may not be read by this user", "change its permissions, or run as its owner"],
  EIO: ["cannot be read: the disk reports an error", "check the disk"],
  ENOSPC: ["cannot be written: its disk is full", "make room, and do the same again"],
  EDQUOT: [
    "cannot be written: its user's share of the disk is full",
    "make room, and do the same again",
  ],
  EFBIG: [
    "cannot be written: it is larger than files may be there",
    "write it to another disk, or raise the limit (ulimit -f)",
  ],
  EMFILE: ["cannot be opened: too many open files", "raise the limit (ulimit -n)"],
};

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
