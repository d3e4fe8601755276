import { encode as encodeDagPb } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { importer, type InProgressImportResult } from "ipfs-unixfs-importer";
import { CID } from "multiformats/cid";
import type { CarBlock } from "#content/car-parser.ts";
import { dagPbCode, sha256Digest } from "#content/cid.ts";
import { profileNamed } from "#content/profile.ts";

/** Something in a directory, by its path below the root with `/` between the parts. */
export type TreeEntry =
  | { readonly path: string; readonly cid: string; readonly dagBytes: number }
  | { readonly path: string; readonly isEmptyFolder: true };

/** The nodes of a directory and of the directories in it; the files are not among them. */
export interface DirectoryDag {
  readonly root: CID;
  /** Children before their parent. */
  readonly blocks: readonly CarBlock[];
}

/** Only the links of large directories are spread over several nodes (HAMT, IPIP-499). */
export async function directoryDag(
  entries: readonly TreeEntry[],
  profileName: string,
): Promise<DirectoryDag> {
  const { cidVersion } = profileNamed(profileName);
  const blocks: CarBlock[] = [];
  const store = {
    put(cid: CID, bytes: unknown): CID {
      if (bytes instanceof Uint8Array) blocks.push({ cid, bytes });
      return cid;
    },
  };
  const results = importer([], store, {
    profile: cidVersion === 0 ? "unixfs-v0-2015" : "unixfs-v1-2025",
    wrapWithDirectory: true,
    fileImportConcurrency: 1,
    async *dagBuilder() {
      for (const entry of entries) yield () => Promise.resolve(built(entry, cidVersion, store));
    },
  });
  let root: CID | undefined;
  // What comes last is the directory around everything.
  for await (const result of results) root = result.cid;
  if (root === undefined) throw new Error("a directory has a root");
  return { root, blocks };
}

function built(
  entry: TreeEntry,
  cidVersion: 0 | 1,
  store: { put(cid: CID, bytes: Uint8Array): CID },
): InProgressImportResult {
  const { path } = entry;
  if ("cid" in entry) {
    return { path, originalPath: path, cid: CID.parse(entry.cid), size: BigInt(entry.dagBytes) };
  }
  const unixfs = new UnixFS({ type: "directory" });
  const bytes = encodeDagPb({ Data: unixfs.marshal(), Links: [] });
  const digest = sha256Digest(bytes);
  const cid = cidVersion === 0 ? CID.createV0(digest) : CID.createV1(dagPbCode, digest);
  store.put(cid, bytes);
  return { path, originalPath: path, cid, size: BigInt(bytes.length), unixfs };
}
