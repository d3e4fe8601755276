import { encode as encodeDagCbor } from "@ipld/dag-cbor";
import { encode as encodeDagPb, prepare } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import * as digests from "multiformats/hashes/digest";
import { addressBytes, addressFile } from "#content/address-file.ts";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { dagCborCode, dagPbCode, rawCid, rawCode, sha256Digest } from "#content/cid.ts";
import { FileHasher } from "#content/file-hasher.ts";
import { defaultProfile, type Profile, profileNamed } from "#content/profile.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream, WriteBody } from "#model/driver.ts";
import { formatSize } from "#model/quantity.ts";
import { pieces, sample } from "../conformance/sample-object.ts";

/** Something that travels. */
export interface TripContent {
  readonly name: string;
  readonly object: ObjectRef;
  /** Whether it is a file; else it is known by its blocks only. */
  readonly isFile: boolean;
  /** Its bytes, as a file or as a CAR. */
  readonly body: () => WriteBody;
}

type Block = readonly [CID, Uint8Array];
const chunkBytes = 1024 * 1024;

/** Every kind of content that is treated in a way of its own somewhere, small. */
export function smallContents(): readonly TripContent[] {
  const half = sample(chunkBytes, 9).bytes;
  return [
    fileContent("an empty file", new Uint8Array()),
    fileContent("one byte", sample(1).bytes),
    fileContent("exactly one chunk", sample(chunkBytes, 2).bytes),
    fileContent("one byte more than a chunk", sample(chunkBytes + 1, 3).bytes),
    fileContent("a file named by a CIDv0", sample(600_000, 4).bytes, "unixfs-v0-2015"),
    fileContent("a file that is one raw block", sample(1_500_000, 5).bytes, "raw-sha256"),
    fileContent("a file that repeats its blocks", Buffer.concat([half, half, half.fill(7), half])),
    ownTree("a file cut as no profile cuts it", { chunkBytes: 65_536 }),
    ownTree("a file known under another profile than its own", profileNamed("unixfs-v0-2015")),
    directory("a directory", 40),
    dagContent("a deep DAG", deepDag(200)),
    dagContent("a wide DAG", wideDag(300)),
    dagContent("a dag-cbor root with what it links", linkedData()),
    dagContent("a dag-pb node that links a block twice", repeatedLinks()),
    identityContent("content that is in its CID"),
    dagContent("a DAG that links content in CIDs", identityLinks()),
  ];
}

/** A file of these bytes under a profile. */
export function fileContent(
  name: string,
  bytes: Uint8Array,
  profile = defaultProfile,
): TripContent {
  const object = { ...addressBytes(bytes, profile), profile };
  const body = (): WriteBody => ({ form: "file", bytes: bytes.length, stream: pieces(bytes) });
  return { name, object, isFile: true, body };
}

/** A large file, made while it is read: no part of it is like another. */
export async function largeFile(bytes: number): Promise<TripContent> {
  const object = {
    ...(await addressFile(largeBytes(bytes), defaultProfile)),
    profile: defaultProfile,
  };
  const body = (): WriteBody => ({ form: "file", bytes, stream: largeBytes(bytes) });
  return { name: `a file of ${formatSize(bytes)}`, object, isFile: true, body };
}

async function* largeBytes(bytes: number): ByteStream {
  const pattern = sample(chunkBytes, 8).bytes;
  for (let at = 0; at < bytes; at += chunkBytes) {
    const piece = Buffer.from(pattern.subarray(0, Math.min(chunkBytes, bytes - at)));
    if (piece.length >= 8) piece.writeDoubleLE(at);
    yield piece;
  }
}

/** A file whose tree was made by others, so that its recorded profile gives it another CID. */
export function ownTree(name: string, changed: Partial<Profile>): TripContent {
  const { bytes } = sample(700_000, 6);
  const blocks: Block[] = [];
  const hasher = new FileHasher({ ...profileNamed(defaultProfile), ...changed }, (cid, parts) =>
    blocks.push([cid, Buffer.concat(parts)]),
  );
  hasher.update(bytes);
  hasher.finish();
  // The root, then its leaves in the order of the file.
  return dagContent(name, [...blocks.splice(-1), ...blocks], bytes.length);
}

/** A UnixFS directory with a folder in it; every file has other bytes. */
export function directory(name: string, files: number): TripContent {
  const leaves = Array.from({ length: files }, (_, at): readonly [string, Block] => {
    const bytes = Buffer.from(`content of file ${at}\n`);
    return [`file-${String(at).padStart(6, "0")}.txt`, [rawCid(bytes), bytes]];
  });
  // A node of a directory must stay below the limit of blocks: one folder for each thousand.
  const folders = Array.from({ length: Math.ceil(files / 1_000) }, (_, at) => {
    const inside = leaves.slice(at * 1_000, (at + 1) * 1_000);
    return [`folder-${at}`, folderOf(inside), inside.map(([, block]) => block)] as const;
  });
  const root = folderOf(folders.map(([title, block]) => [title, block]));
  const below = folders.flatMap(([, folder, inside]) => [folder, ...inside]);
  return dagContent(name, [root, ...below]);
}

function folderOf(entries: readonly (readonly [string, Block])[]): Block {
  const Links = entries.map(([Name, [Hash, bytes]]) => ({ Name, Hash, Tsize: bytes.length }));
  const Data = new UnixFS({ type: "directory" }).marshal();
  const bytes = encodeDagPb(prepare({ Data, Links }));
  return [CID.createV1(dagPbCode, sha256Digest(bytes)), bytes];
}

/** What these blocks hold below the first of them; no file that could be kept as one. */
function dagContent(
  name: string,
  blocks: readonly Block[],
  size = blocks.reduce((sum, [, bytes]) => sum + bytes.length, 0),
): TripContent {
  const [root] = blocks;
  if (root === undefined) throw new Error("a DAG has a root");
  const sections = blocks.flatMap(([cid, bytes]) => [carSectionHead(cid, [bytes]), bytes]);
  const car = Buffer.concat([carHeader(root[0]), ...sections]);
  const object = { cid: root[0].toString(), size, profile: defaultProfile };
  const body = (): WriteBody => ({ form: "car", bytes: car.length, stream: pieces(car) });
  return { name, object, isFile: false, body };
}

function cborBlock(value: unknown): Block {
  const bytes = encodeDagCbor(value);
  return [CID.createV1(dagCborCode, sha256Digest(bytes)), bytes];
}

function deepDag(depth: number): readonly Block[] {
  const blocks: Block[] = [cborBlock({ end: true })];
  for (let level = 1; level < depth; level++) {
    blocks.push(cborBlock({ level, next: blocks.at(-1)?.[0] }));
  }
  return blocks.toReversed();
}

function wideDag(width: number): readonly Block[] {
  const leaves = Array.from({ length: width }, (_, at): Block => {
    const bytes = Buffer.from(`leaf ${at}`);
    return [rawCid(bytes), bytes];
  });
  return [cborBlock({ leaves: leaves.map(([cid]) => cid) }), ...leaves];
}

function linkedData(): readonly Block[] {
  const bytes = Buffer.from("a leaf");
  const leaf: Block = [rawCid(bytes), bytes];
  const inner = cborBlock({ leaf: leaf[0], number: 7 });
  return [cborBlock({ name: "root", parts: [inner[0], { again: leaf[0] }] }), inner, leaf];
}

function repeatedLinks(): readonly Block[] {
  const bytes = Buffer.from("twice");
  const leaf: Block = [rawCid(bytes), bytes];
  const entries = [
    ["one", leaf],
    ["two", leaf],
  ] as const;
  return [folderOf(entries), leaf];
}

function identityLinks(): readonly Block[] {
  return [cborBlock({ inline: identityCid(Buffer.from("within the name")) })];
}

function identityContent(name: string): TripContent {
  const bytes = Buffer.from("nothing but the name");
  return dagContent(name, [[identityCid(bytes), bytes]]);
}

function identityCid(bytes: Uint8Array): CID {
  return CID.createV1(rawCode, digests.create(0, bytes));
}
