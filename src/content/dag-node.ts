import { decode as decodeDagPb } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import type { CID } from "multiformats/cid";
import type { CarBlock } from "#content/car-parser.ts";
import { dagPbCode, rawCode } from "#content/cid.ts";
import { EngineError } from "#model/engine-error.ts";

/** What a checked block means as a part of a file. */
export interface DagNode {
  readonly links: readonly CID[];
  /** Bytes of the file that lie in this block itself; undefined for what is no file. */
  readonly data: Uint8Array | undefined;
  /** Bytes of the file from here downwards; undefined for what is no file. */
  readonly fileBytes: number | undefined;
}

const nothing = new Uint8Array(0);

/** Decodes a raw or dag-pb block. NOT_SUPPORTED for other codecs, CORRUPT for broken nodes. */
export function decodeNode({ cid, bytes }: CarBlock): DagNode {
  if (cid.code === rawCode) return { links: [], data: bytes, fileBytes: bytes.length };
  if (cid.code !== dagPbCode) {
    const codec = `0x${cid.code.toString(16)}`;
    throw new EngineError("NOT_SUPPORTED", `${cid.toString()} has the codec ${codec}`, {
      hint: "content is read from raw and dag-pb blocks (UnixFS)",
    });
  }
  try {
    const node = decodeDagPb(bytes);
    const links = node.Links.map((link) => link.Hash);
    const file = node.Data ? UnixFS.unmarshal(node.Data) : undefined;
    if (file?.type !== "file" && file?.type !== "raw") {
      return { links, data: undefined, fileBytes: undefined };
    }
    return { links, data: file.data ?? nothing, fileBytes: Number(file.fileSize()) };
  } catch (thrown) {
    throw new EngineError("CORRUPT", `${cid.toString()} is no valid UnixFS node`, {
      cause: thrown,
    });
  }
}
