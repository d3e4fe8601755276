import { EngineError } from "#model/engine-error.ts";

/**
 * Everything that decides which CID a file gets. An object records the name of its profile, so
 * that anybody can compute the CID again from the bytes.
 */
export interface Profile {
  readonly name: string;
  readonly summary: string;
  /** Fixed-size chunks of this many bytes; infinite means the file is one block. */
  readonly chunkBytes: number;
  /** Children of a node at most, in a balanced tree: every leaf is equally deep. */
  readonly width: number;
  /** `raw`: a leaf is the bytes; `dag-pb`: the bytes wrapped in a UnixFS node. */
  readonly leaves: "raw" | "dag-pb";
  readonly cidVersion: 0 | 1;
  readonly hash: "sha2-256";
}

/** For files whose owner asked for nothing else. */
export const defaultProfile = "unixfs-v1-2025";

/**
 * The known profiles. Names and parameters of the `unixfs-…` ones are those of IPIP-499
 * (specs.ipfs.tech/ipips/ipip-0499); they never change, a new need is a new name.
 */
export const profiles: readonly Profile[] = [
  {
    name: "unixfs-v1-2025",
    summary: "CIDv1, raw leaves of 1 MiB, 1,024 links a node (IPIP-499)",
    chunkBytes: 1024 * 1024,
    width: 1024,
    leaves: "raw",
    cidVersion: 1,
    hash: "sha2-256",
  },
  {
    name: "unixfs-v0-2015",
    summary: "CIDv0, wrapped leaves of 256 KiB, 174 links a node (Kubo up to 0.39, IPIP-499)",
    chunkBytes: 256 * 1024,
    width: 174,
    leaves: "dag-pb",
    cidVersion: 0,
    hash: "sha2-256",
  },
  {
    name: "raw-sha256",
    summary: "CIDv1 of the whole bytes as one raw block: their SHA-256, as registries give it",
    chunkBytes: Number.POSITIVE_INFINITY,
    width: 1,
    leaves: "raw",
    cidVersion: 1,
    hash: "sha2-256",
  },
];

const byName: ReadonlyMap<string, Profile> = new Map(
  profiles.map((profile) => [profile.name, profile]),
);

/** The profile of that name. Throws NOT_SUPPORTED, which names the known ones. */
export function profileNamed(name: string): Profile {
  const profile = byName.get(name);
  if (profile) return profile;
  throw new EngineError("NOT_SUPPORTED", `the profile "${name}" is not known`, {
    hint: `known profiles: ${[...byName.keys()].join(", ")}`,
  });
}
