import { exporter, type UnixFSEntry } from "ipfs-unixfs-exporter";
import type { CID } from "multiformats/cid";
import type { BlockSource } from "#content/block-file.ts";
import { EngineError } from "#model/engine-error.ts";

/** What lies under a root, or below it at a path such as `photos/2024`. */
export async function unixfsEntry(blocks: BlockSource, root: CID, path = ""): Promise<UnixFSEntry> {
  const store = {
    async *get(cid: CID): AsyncGenerator<Uint8Array> {
      yield await blocks.get(cid);
    },
  };
  const parts = path.split("/").filter((part) => part !== "");
  try {
    return await exporter(parts.length === 0 ? root : [root.toString(), ...parts].join("/"), store);
  } catch (thrown) {
    if (thrown instanceof EngineError) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const place = [root.toString(), ...parts].join("/");
    throw new EngineError("NOT_FOUND", `${place} cannot be found: ${why}`, {
      hint: "check the path: it is that of a file or directory in the object",
      cause: thrown,
    });
  }
}
