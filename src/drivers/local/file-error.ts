import { EngineError, type ErrorCode } from "#model/engine-error.ts";

/** Turns what the operating system said into an `EngineError` that says what to do. */
export function fileError(thrown: unknown, doing: string, path: string): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const code = systemCode(thrown);
  const known = code === undefined ? undefined : meanings[code];
  if (code === undefined || known === undefined) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new EngineError("INTERNAL", `${doing} ${path}: ${message}`, { cause: thrown });
  }
  return new EngineError(known.code, `${doing} ${path}: ${known.text} (${code})`, {
    hint: known.hint,
    cause: thrown,
    details: { system: code, path },
  });
}

/** The name of a system error (`ENOSPC`), or undefined when it is none. */
export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly text: string;
  readonly hint: string;
}

const full: Meaning = {
  code: "NO_SPACE",
  text: "the disk or quota is full",
  hint: "free some space, or add a rule that evicts or demotes from this backend",
};
const forbidden: Meaning = {
  code: "FORBIDDEN",
  text: "the file permissions do not allow it",
  hint: "make the store's folder readable and writable for the user that runs the engine",
};
const gone: Meaning = {
  code: "UNAVAILABLE",
  text: "a folder of the store is not there",
  hint: "check that the disk is mounted; nothing was changed",
};
const busy: Meaning = {
  code: "UNAVAILABLE",
  text: "the system cannot open more files now",
  hint: "raise the limit of open files (ulimit -n) or lower the concurrency",
};

const meanings: Readonly<Record<string, Meaning>> = {
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: {
    code: "NO_SPACE",
    text: "the file system does not take a file this large",
    hint: "use a file system without that limit",
  },
  EACCES: forbidden,
  EPERM: forbidden,
  EROFS: {
    code: "FORBIDDEN",
    text: "the file system is mounted read-only",
    hint: "remount it writable; after disk errors check it first",
  },
  EIO: {
    code: "UNREADABLE",
    text: "the disk reports an input/output error",
    hint: "check the disk (smartctl, dmesg) and evacuate this backend",
  },
  ELOOP: {
    code: "UNREADABLE",
    text: "a symbolic link stands where a stored file should be",
    hint: "remove the link: a store holds plain files only",
  },
  ENOENT: gone,
  ENOTDIR: gone,
  ESTALE: gone,
  ENODEV: gone,
  ENXIO: gone,
  EMFILE: busy,
  ENFILE: busy,
  EBUSY: busy,
};
