import { hash } from "node:crypto";
import type { ByteStream } from "#model/driver.ts";
import { parseCid, rawCid, rawCode, sha256Code } from "#content/cid.ts";
import { FileHasher, type FileAddress } from "#content/file-hasher.ts";
import { profileNamed } from "#content/profile.ts";

/** CID and size of what a stream carries, under a named profile. Nothing is stored. */
export async function addressFile(stream: ByteStream, profile: string): Promise<FileAddress> {
  const hasher = new FileHasher(profileNamed(profile));
  for await (const bytes of stream) hasher.update(bytes);
  return hasher.finish();
}

/** The same for bytes in memory, at once; a file of one raw leaf costs one call of the hash. */
export function addressBytes(bytes: Uint8Array, profile: string): FileAddress {
  const found = profileNamed(profile);
  if (found.leaves === "raw" && bytes.length <= found.chunkBytes) {
    return { cid: rawCid(bytes).toString(), size: bytes.length };
  }
  const hasher = new FileHasher(found);
  hasher.update(bytes);
  return hasher.finish();
}

/** Whether a CID is the address of these bytes; asks for no text where the digest will do. */
export function isAddressOf(cidText: string, bytes: Uint8Array, profile: string): boolean {
  const cid = parseCid(cidText);
  const { leaves, chunkBytes } = profileNamed(profile);
  if (leaves !== "raw" || bytes.length > chunkBytes) {
    return addressBytes(bytes, profile).cid === cid.toString();
  }
  const { code, digest } = cid.multihash;
  const isRawSha256 = cid.version === 1 && cid.code === rawCode && code === sha256Code;
  return isRawSha256 && hash("sha256", bytes, "buffer").equals(digest);
}
