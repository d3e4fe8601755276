import { open } from "node:fs/promises";
import { EngineError } from "#model/engine-error.ts";

const startBytes = 512;

/** What files begin with, what they are then, and how they get in. */
const kinds: readonly (readonly [magic: string, at: number, what: string, hint: string])[] = [
  ["1f8b", 0, "gzip data", "unpack it first: gunzip"],
  ["28b52ffd", 0, "zstd data", "unpack it first: zstd -d"],
  ["425a68", 0, "bzip2 data", "unpack it first: bunzip2"],
  ["fd377a585a00", 0, "xz data", "unpack it first: unxz"],
  ["504b0304", 0, "a ZIP archive", "unpack it, and add what is in it: thermocline objects add"],
  ["7573746172", 257, "a tar archive", "add it as an object: thermocline objects add"],
];

/**
 * The error for a file that is not an intact CAR: one that is damaged, or something else, which is
 * told by how it begins.
 */
export async function explainUnreadableCar(file: string, cause: EngineError): Promise<EngineError> {
  if (cause.code !== "CORRUPT") return cause;
  const start = await readStart(file).catch(() => undefined);
  if (start === undefined) return cause;
  const [what, hint] = kindOf(start) ?? [];
  if (what === undefined) {
    return new EngineError("CORRUPT", `${file}: ${cause.message}`, {
      hint: "write it again where it came from, and compare the sizes: it may have been cut off",
      cause,
    });
  }
  return new EngineError("CORRUPT", `${file} is not a CAR: it is ${what}`, {
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

function kindOf(start: Buffer): readonly [what: string, hint: string] | undefined {
  if (start.length === 0) return ["empty", "write it again where it came from"];
  const known = kinds.find(
    ([magic, at]) => start.toString("hex", at, at + magic.length / 2) === magic,
  );
  if (known !== undefined) return [known[2], known[3]];
  // The header of a CAR has bytes that no text has.
  const isText = !start.some((byte) => byte < 9 || (byte > 13 && byte < 32) || byte >= 0x80);
  return isText ? ["text", "add it as an object: thermocline objects add"] : undefined;
}

async function readStart(file: string): Promise<Buffer> {
  await using handle = await open(file, "r");
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(startBytes), 0, startBytes, 0);
  return buffer.subarray(0, bytesRead);
}
