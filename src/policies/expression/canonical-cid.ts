import { CID } from "multiformats/cid";

/** The text form under which the index knows a CID; undefined when the text is none. */
export function canonicalCid(text: string): string | undefined {
  if (text.length < 46) return undefined;
  try {
    return CID.parse(text).toString();
  } catch {
    return undefined;
  }
}

/** The binary form of a CID in canonical text form. */
export function cidBytes(text: string): Uint8Array {
  return CID.parse(text).bytes;
}
