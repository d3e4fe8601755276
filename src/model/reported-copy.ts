import type { Evidence, StoredCopy } from "#model/copy.ts";

/**
 * A copy as a worker reports it for an action of its batch. Where `locator` is a list, the CID of
 * the action's object belongs between its parts: the index knows it, and a thousand of them would
 * be most of what a report takes up in the queue store.
 */
export interface ReportedCopy extends Omit<StoredCopy, "locator"> {
  readonly locator: string | readonly string[];
}

/** Evidence about the object of an action, unless it says of which. */
export interface ReportedEvidence extends Omit<Evidence, "cid"> {
  readonly cid?: string;
}

/** The copy as the driver named it. */
export function storedCopy({ locator, form, bytes }: ReportedCopy, cid: string): StoredCopy {
  return { locator: typeof locator === "string" ? locator : locator.join(cid), form, bytes };
}

/** The copy without its object's CID, for the way to the index. */
export function reportedCopy({ locator, form, bytes }: StoredCopy, cid: string): ReportedCopy {
  const parts = locator.split(cid);
  return { locator: parts.length === 1 ? locator : parts, form, bytes };
}

/** The evidence with its object's CID. */
export function fullEvidence({ backend, ...found }: ReportedEvidence, cid: string): Evidence {
  return { backend, cid, ...found };
}

/** The evidence for the way to the index: what is about another object keeps saying so. */
export function reportedEvidence({ cid, ...found }: Evidence, ofObject: string): ReportedEvidence {
  return cid === ofObject ? found : { cid, ...found };
}
