import { EngineError, type ErrorCode } from "#model/engine-error.ts";

/** What the node said about a request that it did not carry out; undefined for other errors. */
export function saidBy(error: unknown): string | undefined {
  if (!(error instanceof EngineError)) return undefined;
  const { kubo } = error.details as { readonly kubo?: unknown };
  return typeof kubo === "string" ? kubo : undefined;
}

/** Whether the node said that there is no such pin. */
export function saysNotPinned(error: unknown): boolean {
  return /\bnot pinned\b/.test(saidBy(error) ?? "");
}

/**
 * The error for a request that the node refuses. All refusals come with the same status, so the
 * words decide; what is not known may pass.
 */
export function kuboError(message: string, doing: string): EngineError {
  const meaning = meanings.find(({ words }) => words.test(message)) ?? unknown;
  const { code, text, hint } = meaning;
  return new EngineError(code, `${doing}: ${text} (${message.slice(0, wordsMax)})`, {
    ...(hint === undefined ? {} : { hint }),
    details: { kubo: message },
  });
}

/**
 * The error for a pin whose blocks cannot all be read: the node has them no more, or damaged.
 * What has to do with the node as a whole stays what it is.
 */
export function unreadableDag(error: unknown, cid: string): unknown {
  const message = saidBy(error);
  if (message === undefined || ofTheNode.words.test(message)) return error;
  if (full.words.test(message)) return error;
  return new EngineError("CORRUPT", `the node pins ${cid}, and cannot read all of it: ${message}`, {
    hint: "restore this object from another copy",
    details: { cid, kubo: message },
    cause: error,
  });
}

const wordsMax = 500;

interface Meaning {
  readonly words: RegExp;
  readonly code: ErrorCode;
  readonly text: string;
  readonly hint?: string;
}

const full: Meaning = {
  words: /no space left on device|disk quota exceeded/i,
  code: "NO_SPACE",
  text: "the disk of the node is full",
  // Kubo 0.42 keeps what it could not finish in `blocks/.temp`, where no collection looks.
  hint:
    "restart the node, which then gives up what it could not finish writing, collect its garbage " +
    "(`ipfs repo gc`), or evict from this backend",
};

const ofTheNode: Meaning = {
  words:
    /context canceled|deadline exceeded|shutting down|datastore closed|too many open files|resource temporarily|cannot allocate memory/i,
  code: "UNAVAILABLE",
  text: "the node cannot do this now",
};

const meanings: readonly Meaning[] = [
  full,
  ofTheNode,
  {
    words: /read-only file system|permission denied/i,
    code: "WRITES_DISABLED",
    text: "the node cannot write to its repository",
    hint: "check the disk of the node and who may write to its repository",
  },
  {
    words: /block.*over.*MiB|over the limit|block is too (large|big)/i,
    code: "NOT_SUPPORTED",
    text: "a block is too large to be shared between nodes",
    hint: "keep it as a file, or import it as UnixFS",
  },
  {
    words: /import failed|unexpected EOF|integrity|invalid (cid|header|car)|malformed/i,
    code: "CORRUPT",
    text: "the node refuses the CAR",
  },
  { words: /not pinned/i, code: "NOT_FOUND", text: "the node does not pin it" },
  {
    words: /could not find|not found/i,
    code: "NOT_FOUND",
    text: "the node does not have it",
  },
];

const unknown: Omit<Meaning, "words"> = { code: "UNAVAILABLE", text: "the node refuses this" };
