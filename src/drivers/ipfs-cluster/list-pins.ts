import { base32upper } from "multiformats/bases/base32";
import { cidToBytes } from "#content/cid.ts";
import type { StoredCopy } from "#model/copy.ts";
import type { ListedCopy, ListOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import type { ClusterClient } from "#drivers/ipfs-cluster/cluster-client.ts";
import {
  describeStanding,
  type PinInfo,
  pinStanding,
  type WantedPin,
} from "#drivers/ipfs-cluster/pin-info.ts";

/** The peers are asked for so many pins at a time: the answer is held in memory. */
const pinsAtOnce = 200;
export const bytesKey = "thermocline-bytes";

/**
 * The pins of a cluster that at least one peer holds, in the order of the pinset. The pinset
 * passes as a stream; what the peers make of it is asked piece by piece, so that a million pins
 * need no more memory than two hundred, here and at the peers.
 */
export async function* listPins(
  client: ClusterClient,
  backend: string,
  { cursor, signal }: ListOptions,
): AsyncGenerator<ListedCopy> {
  throwIfCancelled(signal, `listing ${backend}`);
  let batch: WantedPin[] = [];
  const settle = async function* (): AsyncGenerator<ListedCopy> {
    if (batch.length === 0) return;
    const cids = batch.map(({ cid }) => cid);
    const standings = await client.standings(cids, { signal });
    for (const { cid, name, metadata } of batch) {
      throwIfCancelled(signal, `listing ${backend}`);
      const info = standings.get(cid);
      if (info === undefined || !isHeld(info, backend)) continue;
      // Where nothing else is configured, pins of ours are called as what they are of.
      const named = name === "" || name === cid ? {} : { name };
      yield { cid, copy: pinCopy(cid, metadata), size: undefined, ...named, cursor: cid };
    }
    batch = [];
  };
  for await (const pin of afterCursor(client.pinset({ signal }), cursor, backend)) {
    batch.push(pin);
    if (batch.length >= pinsAtOnce) yield* settle();
  }
  yield* settle();
}

/** The copy that a pin is. What it takes up was noted when it was made; for others it is 0. */
export function pinCopy(cid: string, metadata: PinInfo["metadata"]): StoredCopy {
  const bytes = Number(metadata[bytesKey] ?? 0);
  const known = Number.isSafeInteger(bytes) && bytes >= 0;
  return { locator: `/ipfs/${cid}`, form: "dag", bytes: known ? bytes : 0 };
}

/**
 * Whether any peer holds a pin. UNAVAILABLE when none says so and some do not answer: a copy is
 * not lost because its peers cannot be reached.
 */
export function isHeld(info: PinInfo, backend: string): boolean {
  const standing = pinStanding(info);
  if (standing.isSharded) {
    throw new EngineError("NOT_SUPPORTED", `${backend}: ${info.cid} is pinned in shards`, {
      hint: "pin it again without `shard`: shards are not read yet",
    });
  }
  if (standing.pinned.length > 0) return true;
  if (standing.unknown.length === 0) return false;
  const words = `${backend}: ${info.cid} is ${describeStanding(standing)}`;
  throw new EngineError("UNAVAILABLE", words, {
    hint: "bring these peers back, or remove them from the cluster",
  });
}

/**
 * Leaves out what comes up to the cursor. The pinset is kept in the order of its keys; were it in
 * any other, pins would be left out that nobody has seen, so that is looked at on the way.
 */
async function* afterCursor(
  pinset: AsyncIterable<WantedPin>,
  cursor: string | undefined,
  backend: string,
): AsyncGenerator<WantedPin> {
  const start = cursor === undefined ? "" : pinsetKey(cursor);
  let previous = "";
  for await (const pin of pinset) {
    const key = pinsetKey(pin.cid);
    if (key <= previous) {
      throw new EngineError("NOT_SUPPORTED", `${backend}: its pinset is in no order we know`, {
        hint: "use a cluster with crdt consensus and its default datastore",
      });
    }
    previous = key;
    if (key > start) yield pin;
  }
}

/** The name under which a cluster keeps a pin, by which its datastore sorts. */
function pinsetKey(cid: string): string {
  return base32upper.encode(cidToBytes(cid));
}
