import { createHash } from "node:crypto";
import { CID } from "multiformats/cid";
import * as digest from "multiformats/hashes/digest";
import type { NewObject } from "#model/index-store.ts";

/** When all samples were made. */
export const sampleTime = new Date("2026-01-01T00:00:00Z");

/** The object of a number, with a verified copy on the backend `hot`. */
export function sampleObject(number: number): NewObject {
  const cid = sampleCid(number).toString();
  const copy = { locator: `${cid.slice(-2)}/${cid}`, form: "file", bytes: 4_096 } as const;
  return {
    cid,
    size: 4_096,
    profile: "unixfs-v1-2025",
    names: [`/data/${number % 1_000}/${number}.bin`],
    type: "application/octet-stream",
    collection: "data",
    owner: undefined,
    tags: [],
    created: sampleTime,
    modified: sampleTime,
    copies: [
      { backend: "hot", copy, state: "present", confidence: "verified", checkedAt: sampleTime },
    ],
  };
}

/** A raw CID that belongs to a number. */
export function sampleCid(number: number): CID {
  const hash = createHash("sha256").update(String(number)).digest();
  return CID.createV1(0x55, digest.create(0x12, hash));
}
