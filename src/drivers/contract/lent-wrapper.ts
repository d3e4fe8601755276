import { hash } from "node:crypto";
import { decode, encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import type { CarBlock } from "#content/car-parser.ts";
import { dagCborCode, parseCid, sha256Digest } from "#content/cid.ts";

/** What is lent to services bears this name on the node that lends it. */
export const lentName = "thermocline-lent";

/** Far more than a wrapper takes. */
const wrapperBytesMax = 1_000;

/**
 * A block that stands for content which a node keeps only until a service has fetched it: its pin
 * keeps the content without pinning it, so that it is nobody's copy, and no copy's pin is touched
 * when it ends. Each lender has its own.
 */
export function lentWrapper(cid: string, lender: string): CarBlock {
  const bytes = encode({ [lentName]: parseCid(cid), lender });
  return { cid: CID.createV1(dagCborCode, sha256Digest(bytes)), bytes };
}

/** Whether the block of a CID may be a wrapper, as far as the CID tells. */
export function mayBeWrapper(cid: string): boolean {
  return parseCid(cid).code === dagCborCode;
}

export function isLentWrapper(bytes: Uint8Array): boolean {
  if (bytes.length > wrapperBytesMax) return false;
  try {
    const { [lentName]: content, lender, ...more } = decode<Record<string, unknown>>(bytes);
    const isWhole = CID.asCID(content) !== null && typeof lender === "string";
    return isWhole && Object.keys(more).length === 0;
  } catch {
    return false;
  }
}

/** Who lends, as others may see it: blocks are public. */
export function lenderOf(backend: string, service: string): string {
  return hash("sha256", `${backend}\n${service}`, "hex").slice(0, 16);
}
