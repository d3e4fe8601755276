import { createHash, hash, type Hash } from "node:crypto";
import { encode as encodeDagPb } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import * as digests from "multiformats/hashes/digest";
import { dagPbCode, rawCode, sha256Code, sha256Digest } from "#content/cid.ts";
import { hashElsewhereMin, hashPiece } from "#content/hash-piece.ts";
import type { Profile } from "#content/profile.ts";

/** What a file is called, and how large it is. */
export interface FileAddress {
  readonly cid: string;
  readonly size: number;
}

/** Receives each block as it becomes known, children before their parent; the root comes last. */
export type BlockSink = (cid: CID, parts: readonly Uint8Array[]) => void;

/**
 * Computes the CID of a file while its bytes pass: no block is kept longer than its chunk, and
 * of the tree only the links of the unfinished node on each level. The tree is the balanced
 * layout of UnixFS: nodes fill from the left, and every leaf ends up at the same depth.
 */
export class FileHasher {
  readonly #profile: Profile;
  readonly #sink: BlockSink | undefined;
  /** Links waiting for their parent, by height above the leaves. */
  readonly #levels: Link[][] = [[]];
  /** The unfinished leaf: hashed on the way, its pieces kept only when somebody needs them. */
  #hash: Hash | undefined;
  #parts: Uint8Array[] = [];
  #filled = 0;
  #size = 0;
  #dagBytes = 0;
  /** A leaf that was taken whole is shorter than a chunk: no other may follow it. */
  #isCut = false;

  constructor(profile: Profile, sink?: BlockSink) {
    this.#profile = profile;
    this.#sink = sink;
  }

  /** Bytes seen so far. */
  get size(): number {
    return this.#size;
  }

  /** After the end: bytes of all blocks of the file, repeated ones each time (`Tsize`). */
  get dagBytes(): number {
    return this.#dagBytes;
  }

  /** Takes the next bytes. With a sink they must stay as they are until their leaf is out. */
  update(bytes: Uint8Array): void {
    this.#size += bytes.length;
    let offset = 0;
    while (offset < bytes.length) {
      const wanted = this.#profile.chunkBytes - this.#filled;
      const piece = bytes.subarray(offset, Math.min(bytes.length, offset + wanted));
      offset += piece.length;
      this.#extendLeaf(piece);
    }
  }

  /**
   * The same, where a piece that is a whole leaf may be hashed on another thread: it must stay as
   * it is, and nothing else be asked, until that is done.
   */
  async absorb(piece: Uint8Array, isLast: boolean): Promise<void> {
    const { chunkBytes, leaves } = this.#profile;
    const isLeaf = piece.length === chunkBytes || (isLast && piece.length < chunkBytes);
    const isAlone = this.#filled === 0 && leaves === "raw" && this.#sink === undefined;
    if (!isLeaf || !isAlone || piece.length < hashElsewhereMin) {
      this.update(piece);
      return;
    }
    this.addLeaf(await hashPiece(piece), piece.length);
  }

  /**
   * Takes a whole raw leaf by its SHA-256 (32 bytes): `bytes` is the profile's chunk, or less for
   * the last leaf. A sink gets `parts` for it.
   */
  addLeaf(digest: Uint8Array, bytes: number, ...parts: Uint8Array[]): void {
    this.#size += bytes;
    this.#parts = parts;
    this.#filled = bytes;
    this.#addLeaf(digest);
  }

  /**
   * Takes the next leaf as a block whose bytes were found to be those of its CID. False when this
   * profile makes no such leaf, so that the file would get another CID than it has.
   */
  updateLeaf({ code, multihash }: CID, data: Uint8Array): boolean {
    const { chunkBytes, leaves } = this.#profile;
    if (leaves === "dag-pb") {
      this.update(data);
      return true;
    }
    const isRawSha256 = code === rawCode && multihash.code === sha256Code;
    if (!isRawSha256 || this.#isCut || data.length > chunkBytes) return false;
    this.#isCut = data.length < chunkBytes;
    if (data.length === 0) return this.#size === 0;
    this.#size += data.length;
    this.#filled = data.length;
    // A copy: the digest of a block that was parsed holds on to all of its bytes.
    this.#addLeaf(new Uint8Array(multihash.digest));
    return true;
  }

  /** Ends the file. The hasher is spent afterwards. */
  finish(): FileAddress {
    if (this.#filled > 0 || this.#size === 0) this.#endLeaf();
    for (let height = 0; ; height += 1) {
      const links = this.#levels[height] ?? [];
      const [first] = links;
      if (height === this.#levels.length - 1 && links.length === 1 && first) {
        this.#dagBytes = first.dagBytes;
        return { cid: first.cid.toString(), size: this.#size };
      }
      this.#endNode(height);
    }
  }

  #extendLeaf(piece: Uint8Array): void {
    const { chunkBytes, leaves } = this.#profile;
    this.#filled += piece.length;
    if (this.#sink || leaves === "dag-pb") this.#parts.push(piece);
    if (leaves === "raw") {
      if (piece.length === chunkBytes) {
        this.#addLeaf(hash("sha256", piece, "buffer"));
        return;
      }
      this.#hash ??= createHash("sha256");
      this.#hash.update(piece);
    }
    if (this.#filled === chunkBytes) this.#endLeaf();
  }

  #endLeaf(): void {
    if (this.#profile.leaves === "dag-pb") this.#addWrappedLeaf();
    else this.#addLeaf((this.#hash ?? createHash("sha256")).digest());
  }

  #addLeaf(digest: Uint8Array): void {
    const cid = CID.createV1(rawCode, digests.create(sha256Code, digest));
    this.#sink?.(cid, this.#parts);
    const bytes = this.#filled;
    this.#resetLeaf();
    this.#push(0, { cid, fileBytes: bytes, dagBytes: bytes });
  }

  #addWrappedLeaf(): void {
    const data = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    const leaf = new UnixFS({ type: "file", data: data ?? new Uint8Array(0) });
    const block = encodeDagPb({ Data: leaf.marshal(), Links: [] });
    const fileBytes = this.#filled;
    this.#resetLeaf();
    this.#push(0, { cid: this.#addBlock(block), fileBytes, dagBytes: block.length });
  }

  #resetLeaf(): void {
    this.#hash = undefined;
    this.#parts = [];
    this.#filled = 0;
  }

  /** A full node is closed only when one more link arrives, for only then it is not the root. */
  #push(height: number, link: Link): void {
    if (this.#levels[height]?.length === this.#profile.width) this.#endNode(height);
    (this.#levels[height] ??= []).push(link);
  }

  #endNode(height: number): void {
    const links = this.#levels[height] ?? [];
    this.#levels[height] = [];
    const node = new UnixFS({
      type: "file",
      blockSizes: links.map((link) => BigInt(link.fileBytes)),
    });
    const block = encodeDagPb({
      Data: node.marshal(),
      Links: links.map(({ cid, dagBytes }) => ({ Name: "", Tsize: dagBytes, Hash: cid })),
    });
    this.#push(height + 1, {
      cid: this.#addBlock(block),
      fileBytes: sum(links, (link) => link.fileBytes),
      dagBytes: block.length + sum(links, (link) => link.dagBytes),
    });
  }

  #addBlock(block: Uint8Array): CID {
    const digest = sha256Digest(block);
    const cid =
      this.#profile.cidVersion === 0 ? CID.createV0(digest) : CID.createV1(dagPbCode, digest);
    this.#sink?.(cid, [block]);
    return cid;
  }
}

interface Link {
  readonly cid: CID;
  /** Bytes of the file below this link. */
  readonly fileBytes: number;
  /** Bytes of all blocks below this link (`Tsize`). */
  readonly dagBytes: number;
}

function sum(links: readonly Link[], bytesOf: (link: Link) => number): number {
  return links.reduce((total, link) => total + bytesOf(link), 0);
}
