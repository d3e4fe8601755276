import { extname } from "node:path";
import { lookup } from "mime-types";

/** TypeScript shares `.ts` with MPEG transport streams, whose packets have 188 bytes each. */
const transportPacketBytes = 188;
const typescript: ReadonlySet<string> = new Set([".ts", ".mts", ".cts", ".tsx"]);

/** The media type that a file's name suggests, or undefined when it suggests none. */
export function mediaType(name: string, size: number): string | undefined {
  const found = lookup(name);
  if (typescript.has(extname(name).toLowerCase())) {
    const isVideo = found === "video/mp2t" && size > 0 && size % transportPacketBytes === 0;
    return isVideo ? found : "text/typescript";
  }
  return found === false ? undefined : found;
}
