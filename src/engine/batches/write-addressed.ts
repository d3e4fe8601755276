import { open } from "node:fs/promises";
import type { FileAddress } from "#content/file-hasher.ts";
import { FileHasher } from "#content/file-hasher.ts";
import { profileNamed } from "#content/profile.ts";
import { writePieces } from "#index/arrow/write-pieces.ts";

/** Writes a new file that nobody changes afterwards, and computes its CID on the way. */
export async function writeAddressed(
  path: string,
  pieces: AsyncIterable<readonly Uint8Array[]>,
  { profile, durable }: { readonly profile: string; readonly durable: boolean },
): Promise<FileAddress> {
  const file = await open(path, "wx", 0o444);
  const hasher = new FileHasher(profileNamed(profile));
  try {
    for await (const bytes of pieces) {
      // The disk takes them while they are hashed.
      const written = writePieces(file, bytes);
      for (const piece of bytes) hasher.update(piece);
      await written;
    }
    if (durable) await file.datasync();
  } finally {
    await file.close();
  }
  return hasher.finish();
}
