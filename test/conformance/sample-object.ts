import { addressBytes } from "#content/address-file.ts";
import { defaultProfile } from "#content/profile.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream, WriteBody } from "#model/driver.ts";
import type { RemovalPermit } from "#model/removal.ts";

/** An object together with its bytes. */
export interface Sample {
  readonly object: ObjectRef;
  readonly bytes: Uint8Array;
}

/** Reproducible bytes that do not compress; another seed gives other bytes. */
export function sample(size: number, seed = 1): Sample {
  const bytes = new Uint8Array(size);
  // xorshift32: fast, and the same everywhere.
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  for (let at = 0; at < size; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state & 0xff;
  }
  return { object: { ...addressBytes(bytes, defaultProfile), profile: defaultProfile }, bytes };
}

/** The bytes as a stream of pieces. */
export async function* pieces(bytes: Uint8Array, pieceBytes = 64 * 1024): ByteStream {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** A body of form `file` that announces its size. */
export function fileBody({ bytes }: Sample, pieceBytes?: number): WriteBody {
  return { form: "file", bytes: bytes.length, stream: pieces(bytes, pieceBytes) };
}

/** Leave to remove a copy, as the writer of the index would give it. */
export function permit(object: ObjectRef, backend: string): RemovalPermit {
  return {
    id: "permit-1",
    ...object,
    objectId: 1,
    backend,
    reserved: [],
    authority: "delete",
    issuedAt: "2026-01-01T00:00:00Z",
    expiresAt: "2026-01-01T01:00:00Z",
  };
}

/** All bytes of a stream. */
export async function collect(stream: ByteStream): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream));
}
