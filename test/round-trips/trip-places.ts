import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PutBucketPolicyCommand } from "@aws-sdk/client-s3";
import { parseCid } from "#content/cid.ts";
import type { ObjectRef, StoredCopy } from "#model/copy.ts";
import type { ByteStream, Driver } from "#model/driver.ts";
import ipfsCluster from "#drivers/ipfs-cluster/ipfs-cluster.ts";
import pinningService from "#drivers/pinning-service/pinning-service.ts";
import { clusterOptionsFor } from "../drivers/cluster-place.ts";
import { openKubo } from "../drivers/kubo-place.ts";
import { newBucket, openBucket, referee } from "../drivers/s3-bucket.ts";
import { LocalStores } from "../jobs/local-stores.ts";
import { clusterMissing, startCluster } from "../services/ipfs-cluster.ts";
import { type KuboNode, startKubo } from "../services/kubo.ts";
import { startVersitygw, versitygwMissing } from "../services/versitygw.ts";

const identityCode = 0;

/** A backend of a real server, and what other tools see of it. */
export interface TripPlace {
  readonly name: string;
  readonly driver: Driver;
  /** The stored bytes of a file or CAR, read without our driver. */
  readonly bytesOf: (copy: StoredCopy) => Promise<ByteStream>;
  /** The IPFS nodes that must hold what is stored here as blocks. */
  readonly nodes: readonly KuboNode[];
  /** Which of the nodes hold some content, where these are not all. */
  readonly holding?: (cid: string) => Promise<readonly KuboNode[]>;
  /** Whether content can come here; all can unless said. */
  readonly takes?: (object: ObjectRef) => boolean;
}

/** One place of each kind, and a node that is nobody's place: the judge of CARs. */
export interface TripPlaces extends AsyncDisposable {
  readonly places: readonly [TripPlace, TripPlace, TripPlace, TripPlace, TripPlace];
  readonly judge: KuboNode;
}

/** Why the places cannot be had on this machine, or undefined. */
export function tripPlacesMissing(): string | undefined {
  return versitygwMissing() ?? clusterMissing();
}

/** Starts the servers, and opens a driver on each. */
export async function openTripPlaces(): Promise<TripPlaces> {
  await using begun = new AsyncDisposableStack();
  const starting = [
    LocalStores.open().then((opened) => begun.use(opened)),
    openPublicBucket(begun),
    startKubo().then((started) => begun.adopt(started, (one) => one.stop())),
    startCluster().then((started) => begun.adopt(started, (one) => one.stop())),
    startKubo().then((started) => begun.adopt(started, (one) => one.stop())),
    openPins(begun),
  ] as const;
  // All have begun, and end together, when one of them does not.
  await Promise.allSettled(starting);
  const [stores, bucket, node, cluster, judge, pins] = await Promise.all(starting);
  const kubo = begun.adopt(await openKubo(node, { backend: "kubo" }), (one) => one.close());
  const peers = await ipfsCluster.open({
    backend: "cluster",
    options: ipfsCluster.options.parse(
      clusterOptionsFor(cluster, { pinTimeout: "5m", timeout: "5m" }),
    ),
    capacityBytes: undefined,
    secret: () => Promise.resolve(cluster.password),
  });
  begun.defer(() => peers.close());
  const local: TripPlace = {
    name: "local",
    driver: await stores.driver("local"),
    bytesOf: ({ locator }) =>
      Promise.resolve(createReadStream(join(stores.folder, "local", locator))),
    nodes: [],
  };
  const nodes = cluster.peers.map((peer) => peer.node);
  const places = [
    local,
    bucket,
    { name: "kubo", driver: kubo, bytesOf: noFile, nodes: [node] },
    { name: "cluster", driver: peers, bytesOf: noFile, nodes },
    pins,
  ] as const;
  const ending = begun.move();
  let closed: Promise<void> | undefined;
  // Whoever closes them a second time waits for the first.
  const close = () => (closed ??= ending.disposeAsync());
  return { places, judge, [Symbol.asyncDispose]: close };
}

/** The Pinning Service API of a cluster of its own, and a node that lends it what it is to pin. */
async function openPins(begun: AsyncDisposableStack): Promise<TripPlace> {
  const starting = [
    startCluster().then((started) => begun.adopt(started, (one) => one.stop())),
    startKubo().then((started) => begun.adopt(started, (one) => one.stop())),
  ] as const;
  await Promise.allSettled(starting);
  const [cluster, source] = await Promise.all(starting);
  const [first] = cluster.peers;
  const gateway = await readFile(join(first.node.repo, "gateway"), "utf8");
  const driver = await pinningService.open({
    backend: "pins",
    options: pinningService.options.parse({
      url: first.pinning,
      token: "env:TOKEN",
      scheme: "Basic",
      node: source.rpc,
      gateway,
      pinTimeout: "5m",
      timeout: "5m",
    }),
    capacityBytes: undefined,
    secret: () => Promise.resolve(`${cluster.username}:${cluster.password}`),
  });
  begun.defer(() => driver.close());
  const peers = cluster.peers.map((peer) => peer.node);
  const holding = async (cid: string): Promise<readonly KuboNode[]> => {
    const asked = peers.map((node) => node.ask(`pin/ls?type=recursive&arg=${cid}`));
    const answers = await Promise.allSettled(asked);
    return peers.filter((_, at) => answers[at]?.status === "fulfilled");
  };
  // IPFS nodes do not hand an empty block to each other, nor gateways what is in a CID.
  return {
    name: "pins",
    driver,
    bytesOf: noFile,
    nodes: [...peers, source],
    holding,
    takes: ({ cid, size }) => size > 0 && parseCid(cid).multihash.code !== identityCode,
  };
}

/** A bucket that anybody may read, so that plain HTTP sees what is in it. */
async function openPublicBucket(begun: AsyncDisposableStack): Promise<TripPlace> {
  const server = begun.adopt(await startVersitygw(), (one) => one.stop());
  const bucket = await newBucket(server);
  const client = begun.adopt(referee(server), (one) => one.destroy());
  const Resource = `arn:aws:s3:::${bucket}/*`;
  const Statement = [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource }];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  // As people have it, unless they say otherwise.
  const usual = { partSize: "8MiB" };
  const driver = await openBucket(server, bucket, usual, undefined, { backend: "bucket" });
  begun.defer(() => driver.close());
  const bytesOf = async ({ locator }: StoredCopy): Promise<ByteStream> => {
    const answer = await fetch(`${server.endpoint}/${locator.slice("s3://".length)}`);
    if (!answer.ok || answer.body === null) throw new Error(`${locator}: ${answer.status}`);
    return answer.body;
  };
  return { name: "bucket", driver, bytesOf, nodes: [] };
}

function noFile(): Promise<never> {
  return Promise.reject(new Error("it keeps blocks, not files"));
}
