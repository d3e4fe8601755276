import { hash } from "node:crypto";
import { EngineError } from "#model/engine-error.ts";
import type { CarBlock } from "#content/car-parser.ts";

/** Hash functions a block may be named by, as Node calls them. `identity` is handled apart. */
const hashNames: Readonly<Record<number, string>> = { 0x12: "sha256", 0x13: "sha512" };
const identityCode = 0;

/** Throws CORRUPT unless the bytes are those that the CID names. */
export function checkBlock({ cid, bytes }: CarBlock): void {
  const { code, digest } = cid.multihash;
  const name = hashNames[code];
  if (name === undefined && code !== identityCode) {
    throw new EngineError("NOT_SUPPORTED", `${cid.toString()} has the unknown hash ${code}`, {
      hint: "blocks can be checked when they are named by sha2-256, sha2-512 or identity",
    });
  }
  const found = name === undefined ? bytes : hash(name, bytes, "buffer");
  if (Buffer.compare(found, digest) === 0) return;
  throw new EngineError("CORRUPT", `the bytes of block ${cid.toString()} are not its own`, {
    hint: "restore it from another copy",
    details: { block: cid.toString() },
  });
}
