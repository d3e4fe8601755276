import { hash } from "node:crypto";
import { EngineError } from "#model/engine-error.ts";
import type { CarBlock } from "#content/car-parser.ts";
import { rawCode, sha256Code } from "#content/cid.ts";
import { hashElsewhereMin, hashPiece } from "#content/hash-piece.ts";

/** Hash functions a block may be named by, as Node calls them. `identity` is handled apart. */
const hashNames: Readonly<Record<number, string>> = { 0x12: "sha256", 0x13: "sha512" };
const identityCode = 0;

/** Throws CORRUPT unless the bytes are those that the CID names. */
export function checkBlock(block: CarBlock): void {
  const { cid, bytes } = block;
  const { code } = cid.multihash;
  const name = hashNames[code];
  if (name === undefined && code !== identityCode) {
    throw new EngineError("NOT_SUPPORTED", `${cid.toString()} has the unknown hash ${code}`, {
      hint: "blocks can be checked when they are named by sha2-256, sha2-512 or identity",
    });
  }
  const found = name === undefined ? bytes : hash(name, bytes, "buffer");
  compare(block, found);
}

/**
 * The same for a block that nobody has to understand before it is checked: a large raw one is
 * hashed by another thread meanwhile, and its bytes must stay as they are until then.
 */
export function checkBlockElsewhere(block: CarBlock): Promise<void> | undefined {
  const { cid, bytes } = block;
  const isPlain = cid.code === rawCode && cid.multihash.code === sha256Code;
  if (isPlain && bytes.length >= hashElsewhereMin) {
    return hashPiece(bytes).then((found) => compare(block, found));
  }
  checkBlock(block);
  return undefined;
}

function compare({ cid }: CarBlock, found: Uint8Array): void {
  if (Buffer.compare(found, cid.multihash.digest) === 0) return;
  throw new EngineError("CORRUPT", `the bytes of block ${cid.toString()} are not its own`, {
    hint: "restore it from another copy",
    details: { block: cid.toString() },
  });
}
