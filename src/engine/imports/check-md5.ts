import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { EngineError } from "#model/engine-error.ts";

/** Throws CORRUPT unless a file has this MD5, with which S3 Inventories name what they are made of. */
export async function checkMd5(path: string, md5: string | undefined): Promise<void> {
  if (md5 === undefined) return;
  const hash = createHash("md5");
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  if (hash.digest("hex") === md5) return;
  throw new EngineError("CORRUPT", `${path} is not the file that the manifest names (MD5)`, {
    hint: "download it again",
  });
}
