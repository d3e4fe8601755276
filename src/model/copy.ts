/** How sure we are that a copy exists and is intact, weakest first. */
export const confidences = ["claimed", "listed", "sampled", "verified"] as const;
export type Confidence = (typeof confidences)[number];

/** Whether that much is as sure as a level, or surer. */
export function atLeast(confidence: Confidence, level: Confidence): boolean {
  return confidences.indexOf(confidence) >= confidences.indexOf(level);
}

/** `dag`: addressable blocks (IPFS); `car`: one CAR file; `file`: the plain bytes of the file. */
export const forms = ["dag", "car", "file"] as const;
export type Form = (typeof forms)[number];

/** `present` counts as a copy; `lost` and `corrupt` do not and call for repair. */
export const copyStates = ["present", "lost", "corrupt"] as const;
export type CopyState = (typeof copyStates)[number];

/** Tiers from the warmest to the coldest; policies compare them in this order. */
export const tiers = ["cache", "hot", "warm", "cold", "archive"] as const;
export type Tier = (typeof tiers)[number];

/** Names a piece of content: what a driver is asked for. */
export interface ObjectRef {
  /** Root CID in its canonical text form. */
  readonly cid: string;
  /** Bytes of the content itself (the file), not of any container around it. */
  readonly size: number;
  /** The UnixFS profile under which the file gives `cid` (src/content/profile.ts). */
  readonly profile: string;
  /**
   * What people call it, with `/` between folders. Only a `write` to a backend that stores by name
   * looks at it, and for a copy that is there already nobody does.
   */
  readonly name?: string;
}

/** Where and how a backend holds a copy, as the driver itself names it. */
export interface StoredCopy {
  /** Opaque to everyone but the driver; enough to find the copy again. */
  readonly locator: string;
  readonly form: Form;
  /** Bytes it takes up on the backend. */
  readonly bytes: number;
}

/** What a check found, kept as evidence. Times are ISO 8601 UTC. */
export interface Evidence {
  readonly backend: string;
  readonly cid: string;
  /** `absent` and `corrupt` are findings, not errors: an unreachable backend throws instead. */
  readonly finding: "present" | "absent" | "corrupt";
  readonly confidence: Confidence;
  /** How it was checked, e.g. "re-hashed 1,048,576 bytes" or "HEAD, size and checksum". */
  readonly method: string;
  readonly checkedAt: string;
  readonly bytesRead: number;
  /** What was found there, where the check looked at it: not kept, and of no meaning to the index. */
  readonly stored?: Pick<StoredCopy, "form" | "bytes">;
  /**
   * What the storage itself lets nobody remove the copy for; null where it was asked and there is
   * nothing. Absent where nobody looked, or the storage does not show it.
   */
  readonly lock?: StorageLock | null;
}

/** A lock that the storage keeps on a copy by itself, such as S3 Object Lock. */
export interface StorageLock {
  /** Holds until somebody lifts it. */
  readonly legalHold: boolean;
  /** ISO 8601 UTC; from then on it holds no longer. Absent with nothing but a legal hold. */
  readonly until?: string;
  /**
   * How the storage calls it: `GOVERNANCE`, `COMPLIANCE`. Absent where it refused a removal and does
   * not show until when: `until` then says when it is worth asking again.
   */
  readonly mode?: string;
}
