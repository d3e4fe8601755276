import { decode as decodeDagCbor } from "@ipld/dag-cbor";
import { decode as decodeDagPb } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import type { CarBlock } from "#content/car-parser.ts";
import { dagCborCode, dagPbCode, rawCode, sha256Code } from "#content/cid.ts";
import type { Profile } from "#content/profile.ts";
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

/**
 * Decodes a raw, dag-pb or dag-cbor block. NOT_SUPPORTED for other codecs, CORRUPT for broken
 * nodes.
 */
export function decodeNode({ cid, bytes }: CarBlock): DagNode {
  if (cid.code === rawCode) return { links: [], data: bytes, fileBytes: bytes.length };
  if (cid.code === dagCborCode) {
    return { links: linksOfDagCbor({ cid, bytes }), data: undefined, fileBytes: undefined };
  }
  if (cid.code !== dagPbCode) {
    const codec = `0x${cid.code.toString(16)}`;
    throw new EngineError("NOT_SUPPORTED", `${cid.toString()} has the codec ${codec}`, {
      hint: "links are followed in raw, dag-pb (UnixFS) and dag-cbor blocks",
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

/**
 * The leaves below a checked block that holds nothing but links to the raw leaves of a file, in
 * their order; undefined for every other block.
 */
export function leavesBelow({ cid, bytes }: CarBlock): readonly FileLeaf[] | undefined {
  if (cid.code !== dagPbCode) return undefined;
  const node = decodeDagPb(bytes);
  const file = node.Data ? UnixFS.unmarshal(node.Data) : undefined;
  const isParent = file?.type === "file" && (file.data ?? nothing).length === 0;
  if (!isParent || file.blockSizes.length !== node.Links.length) return undefined;
  const leaves: FileLeaf[] = [];
  for (const [at, { Hash: leaf, Tsize: stored }] of node.Links.entries()) {
    const length = Number(file.blockSizes[at]);
    // What is stored of a raw leaf is its bytes: where these differ, the file says strange things.
    if (leaf.code !== rawCode || leaf.multihash.code !== sha256Code) return undefined;
    if (length !== stored) return undefined;
    leaves.push({ cid: leaf, bytes: length });
  }
  return leaves;
}

/**
 * Whether a root may be that of a file as a profile cuts it, as far as its own block tells: what is
 * below its first link has the length of full leaves, or of full nodes.
 */
export function isCutAs({ cid, bytes }: CarBlock, { chunkBytes, width }: Profile): boolean {
  if (cid.code !== dagPbCode) return false;
  const { fileBytes } = decodeNode({ cid, bytes });
  const { Data: data } = decodeDagPb(bytes);
  if (fileBytes === undefined || data === undefined) return false;
  const first = Number(UnixFS.unmarshal(data).blockSizes[0] ?? 0n);
  for (let full = chunkBytes; full <= fileBytes; full *= width) if (full === first) return true;
  return false;
}

export interface FileLeaf {
  readonly cid: CID;
  readonly bytes: number;
}

function linksOfDagCbor({ cid, bytes }: CarBlock): readonly CID[] {
  const links: CID[] = [];
  const collect = (value: unknown): void => {
    const link = CID.asCID(value);
    if (link !== null) links.push(link);
    else if (value instanceof Uint8Array) return;
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(collect);
  };
  try {
    collect(decodeDagCbor(bytes));
    return links;
  } catch (thrown) {
    throw new EngineError("CORRUPT", `${cid.toString()} is no valid dag-cbor`, { cause: thrown });
  }
}
