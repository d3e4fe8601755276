import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode, prepare } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import { dagPbCode, rawCid, sha256Digest } from "#content/cid.ts";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { initialiseKubo, type RunningKubo, runKubo } from "../scripts/services/run-kubo.ts";

/** So many roots a CAR has; each is pinned when the node has taken all of them. */
const rootsAtOnce = 20_000;
/** Every so many pins one is a file of two blocks, whose size its root has to tell. */
const everyFile = 10;

/** A real node, and how many pins it has. */
export interface PinnedNode extends AsyncDisposable {
  readonly rpc: string;
  readonly pid: number;
}

/**
 * A Kubo of the benches that pins so many small objects: raw blocks, and each tenth a file of two
 * blocks. With `repo`, the repository stays there, and a later run begins with it.
 */
export async function openPinnedNode(pins: number, repo?: string): Promise<PinnedNode> {
  const folder = repo ?? (await mkdtemp(join(tmpdir(), "thermocline-bench-kubo-")));
  const doneFile = join(folder, `filled-with-${pins}`);
  if (!existsSync(join(folder, "config"))) {
    await initialiseKubo(folder, { config: settings });
    await writeFile(join(folder, "datastore_spec"), JSON.stringify(datastore));
  }
  const server = await runKubo(folder);
  const dispose = async (): Promise<void> => {
    await server.stop();
    if (repo === undefined) await rm(folder, { recursive: true });
  };
  try {
    if (!existsSync(doneFile)) await fill(server, pins);
    await writeFile(doneFile, "");
  } catch (error) {
    await dispose();
    throw error;
  }
  return { rpc: server.rpc, pid: server.pid, [Symbol.asyncDispose]: dispose };
}

/**
 * Everything in one store that is ordered by key. A pin is written to the disk four times before
 * the next is begun, so that a million of them wants a repository in memory (TMPDIR=/dev/shm).
 */
const datastore = { path: "datastore", type: "levelds" };
const settings = {
  "Datastore.Spec": { ...datastore, compression: "none" },
  "Datastore.StorageMax": "1TB",
};

async function fill({ rpc }: RunningKubo, pins: number): Promise<void> {
  for (let from = 0; from < pins; from += rootsAtOnce) {
    const car = new Blob([carOf(from, Math.min(pins, from + rootsAtOnce))]);
    const body = new FormData();
    body.set("file", car);
    const address = `${rpc}/api/v0/dag/import?pin-roots=true&silent=true`;
    const answer = await fetch(address, { method: "POST", body });
    const text = await answer.text();
    if (!answer.ok || /"PinErrorMsg":"[^"]/.test(text)) throw new Error(text.slice(0, 500));
    const done = Math.min(pins, from + rootsAtOnce);
    if (done % (pins / 10) === 0) console.error(`${done} pins made`);
  }
}

function carOf(from: number, to: number): Buffer<ArrayBuffer> {
  const roots: CID[] = [];
  const sections: Uint8Array[] = [];
  const add = (cid: CID, bytes: Uint8Array): void => {
    sections.push(carSectionHead(cid, [bytes]), bytes);
  };
  for (let at = from; at < to; at += 1) {
    const leaf = Buffer.from(`pin ${at} of a node that has many`);
    const leafCid = rawCid(leaf);
    add(leafCid, leaf);
    if (at % everyFile !== 0) {
      roots.push(leafCid);
      continue;
    }
    const Data = new UnixFS({ type: "file", blockSizes: [BigInt(leaf.length)] }).marshal();
    const file = encode(
      prepare({ Data, Links: [{ Hash: leafCid, Tsize: leaf.length, Name: "" }] }),
    );
    const fileCid = CID.createV1(dagPbCode, sha256Digest(file));
    roots.push(fileCid);
    add(fileCid, file);
  }
  return Buffer.concat([carHeader(...roots), ...sections]);
}
