import { z } from "zod";

const peerStatus = z.object({
  peername: z.string().default(""),
  ipfs_peer_id: z.string().default(""),
  status: z.string(),
  error: z.string().default(""),
});

/** What the peers of a cluster say of one pin (`GlobalPinInfo`). */
export const pinInfo = z.object({
  cid: z.string(),
  metadata: z
    .record(z.string(), z.string())
    .nullish()
    .transform((value) => value ?? {}),
  peer_map: z
    .record(z.string(), peerStatus)
    .nullish()
    .transform((value) => value ?? {}),
});

/** A pin as the cluster wants it (`Pin`), whatever its peers have made of it. */
export const wantedPin = z.object({
  cid: z.string(),
  name: z.string().default(""),
  type: z.union([z.string(), z.number()]).default("pin"),
  replication_factor_min: z.int().default(0),
  replication_factor_max: z.int().default(0),
  metadata: pinInfo.shape.metadata,
});

export type PinInfo = z.output<typeof pinInfo>;
export type WantedPin = z.output<typeof wantedPin>;

export interface PeerStanding {
  readonly name: string;
  readonly ipfsPeer: string;
  readonly status: string;
  readonly error: string;
}

/** The peers that should hold a pin, by what has become of it there. */
export interface PinStanding {
  readonly pinned: readonly PeerStanding[];
  /** On the way: pinning, or queued for it. */
  readonly waiting: readonly PeerStanding[];
  /** Tried and failed, or lost since; `recover` has them try again. */
  readonly failed: readonly PeerStanding[];
  /** Their answer is missing: nobody knows. */
  readonly unknown: readonly PeerStanding[];
  /** Kept in shards, each a pin of its own. */
  readonly isSharded: boolean;
}

const kinds: Readonly<Record<string, "pinned" | "waiting" | "failed" | "unknown">> = {
  pinned: "pinned",
  pinning: "waiting",
  pin_queued: "waiting",
  queued: "waiting",
  pin_error: "failed",
  error: "failed",
  unexpectedly_unpinned: "failed",
  // What a peer that went away meanwhile said last, or would have said.
  cluster_error: "unknown",
  undefined: "unknown",
};

/** Sorts the peers of a pin. `remote` ones are not meant to hold it, `unpinned` ones do not. */
export function pinStanding({ peer_map: peers }: PinInfo): PinStanding {
  const sorted = { pinned: [], waiting: [], failed: [], unknown: [] } as Record<
    "pinned" | "waiting" | "failed" | "unknown",
    PeerStanding[]
  >;
  let isSharded = false;
  for (const [id, { peername, ipfs_peer_id: ipfsPeer, status, error }] of Object.entries(peers)) {
    isSharded ||= status === "sharded";
    const kind = kinds[status];
    if (kind !== undefined) sorted[kind].push({ name: peername || id, ipfsPeer, status, error });
  }
  return { ...sorted, isSharded };
}

/** In words, for evidence and errors: "pinned at 1 of 2 peers; node-b: pin_error (…)". */
export function describeStanding({ pinned, waiting, failed, unknown }: PinStanding): string {
  const others = [...waiting, ...failed, ...unknown];
  const total = pinned.length + others.length;
  const said = others.slice(0, toldMax).map(({ name, status, error }) => {
    // Errors of dialling have a line for each address.
    const words = error.slice(0, 2 * errorLengthMax).replaceAll(/\s+/g, " ");
    return `${name}: ${status}${words === "" ? "" : ` (${words.slice(0, errorLengthMax)})`}`;
  });
  return [`pinned at ${pinned.length} of ${total} peers`, ...said].join("; ");
}

const toldMax = 4;
const errorLengthMax = 200;
