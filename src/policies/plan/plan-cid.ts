import { createHash } from "node:crypto";
import { CID } from "multiformats/cid";
import { create } from "multiformats/hashes/digest";
import type { PlanHeader } from "#model/plan.ts";
import { canonicalJson } from "#policies/plan/canonical-json.ts";

const jsonCodec = 0x0200;
const rawCodec = 0x55;
const sha2256 = 0x12;

/** Identity of a plan: CID (json, SHA-256) over the canonical JSON of its header. */
export function planCid(header: PlanHeader): string {
  const digest = createHash("sha256").update(canonicalJson(header)).digest();
  return CID.createV1(jsonCodec, create(sha2256, digest)).toString();
}

/** Identity of a plan's rows: CID (raw, SHA-256) of the Parquet file's bytes. */
export function rowsCid(sha256: Uint8Array): string {
  return CID.createV1(rawCodec, create(sha2256, sha256)).toString();
}
