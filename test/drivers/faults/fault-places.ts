import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import type { Driver } from "#model/driver.ts";
import ipfsCluster from "#drivers/ipfs-cluster/ipfs-cluster.ts";
import kubo from "#drivers/kubo/kubo.ts";
import pinningService from "#drivers/pinning-service/pinning-service.ts";
import { clusterMissing, startCluster } from "../../services/ipfs-cluster.ts";
import { connectKubo, kuboMissing, startKubo } from "../../services/kubo.ts";
import { startVersitygw, versitygwMissing } from "../../services/versitygw.ts";
import { clusterOptionsFor } from "../cluster-place.ts";
import { newBucket, openBucket } from "../s3-bucket.ts";
import type { SmallDisk } from "../small-disk.ts";
import { SpoilingProxy } from "./spoiling-proxy.ts";

/** A real server with one driver that reaches it directly, and one through a proxy that spoils. */
export interface FaultPlace extends AsyncDisposable {
  readonly proxy: SpoilingProxy;
  readonly direct: Driver;
  readonly spoilt: Driver;
  /** With a secret that the server does not know. */
  readonly stranger: Driver;
  /** Ends at once what answers while content is sent, or read. */
  readonly kill: (which: "sent" | "received") => Promise<void>;
  readonly startAgain: () => Promise<void>;
}

export interface FaultPlaceKind {
  readonly driver: "s3" | "kubo" | "ipfs-cluster" | "pinning-service";
  /** Why its server cannot be had here, or undefined. */
  readonly missing: () => string | undefined;
  readonly open: () => Promise<FaultPlace>;
}

/** Short, so that what never comes is given up within a test. */
const timeout = "4s";
const backend = "far";

export const faultPlaces: readonly FaultPlaceKind[] = [
  { driver: "s3", missing: versitygwMissing, open: openS3 },
  { driver: "kubo", missing: kuboMissing, open: openKubo },
  { driver: "ipfs-cluster", missing: clusterMissing, open: openCluster },
  { driver: "pinning-service", missing: clusterMissing, open: openPinning },
];

/** What starts after this keeps what it stores on that disk, until `vi.unstubAllEnvs`. */
export function startOn(disk: SmallDisk): void {
  vi.stubEnv("TMPDIR", disk.path);
  expect(tmpdir()).toBe(disk.path);
}

async function openS3(): Promise<FaultPlace> {
  await using begun = new AsyncDisposableStack();
  const server = begun.adopt(await startVersitygw(), (one) => one.stop());
  const proxy = begun.adopt(new SpoilingProxy(), (one) => one.close());
  const bucket = await newBucket(server);
  const endpoint = await proxy.before(server.endpoint);
  const open = (options: Readonly<Record<string, unknown>>, secret?: string) =>
    openBucket(server, bucket, { timeout, ...options }, secret, { backend });
  return await placeOf(begun, proxy, {
    direct: open({}),
    // One part after the other: sent side by side, none may be whole yet when the fault strikes.
    spoilt: open({ endpoint, concurrency: 1 }),
    stranger: open({}, "not the secret"),
    kill: () => server.kill(),
    startAgain: () => server.startAgain(),
  });
}

async function openKubo(): Promise<FaultPlace> {
  await using begun = new AsyncDisposableStack();
  const authorizations = {
    tester: { AuthSecret: "bearer:the-secret", AllowedPaths: ["/api/v0"] },
  };
  const node = begun.adopt(
    await startKubo({ authorizations, authorization: "Bearer the-secret" }),
    (one) => one.stop(),
  );
  const proxy = begun.adopt(new SpoilingProxy(), (one) => one.close());
  return await placeOf(begun, proxy, {
    direct: openNode(node.rpc),
    spoilt: openNode(await proxy.before(node.rpc)),
    stranger: openNode(node.rpc, "bearer:not-the-secret"),
    kill: () => node.kill(),
    startAgain: () => node.startAgain(),
  });
}

function openNode(rpc: string, secret = "bearer:the-secret"): Promise<Driver> {
  return kubo.open({
    backend,
    options: kubo.options.parse({ rpc, authorization: "env:SECRET", timeout }),
    capacityBytes: undefined,
    secret: () => Promise.resolve(secret),
  });
}

async function openCluster(): Promise<FaultPlace> {
  await using begun = new AsyncDisposableStack();
  const cluster = begun.adopt(await startCluster(), (one) => one.stop());
  const proxy = begun.adopt(new SpoilingProxy(), (one) => one.close());
  const [first] = cluster.peers;
  const open = (changed: Readonly<Record<string, unknown>>, secret = cluster.password) =>
    ipfsCluster.open({
      backend,
      options: ipfsCluster.options.parse(
        clusterOptionsFor(cluster, {
          timeout,
          rpc: [first.node.rpc],
          // A busy machine may take the second peer for gone.
          replicationMin: 1,
          replicationMax: 1,
          allocations: [first.name],
          ...changed,
        }),
      ),
      capacityBytes: undefined,
      secret: () => Promise.resolve(secret),
    });
  const spoilt = { url: await proxy.before(first.api), rpc: [await proxy.before(first.node.rpc)] };
  return await placeOf(begun, proxy, {
    direct: open({ timeout: "30s" }),
    spoilt: open(spoilt),
    stranger: open({}, "not the secret"),
    kill: (which) => (which === "sent" ? first.kill() : first.node.kill()),
    startAgain: async () => {
      await first.node.startAgain();
      await first.startAgain();
    },
  });
}

async function openPinning(): Promise<FaultPlace> {
  await using begun = new AsyncDisposableStack();
  const cluster = begun.adopt(await startCluster(), (one) => one.stop());
  const source = begun.adopt(await startKubo(), (one) => one.stop());
  const proxy = begun.adopt(new SpoilingProxy(), (one) => one.close());
  const [first, second] = cluster.peers;
  const gateway = await readFile(join(first.node.repo, "gateway"), "utf8");
  const known = `${cluster.username}:${cluster.password}`;
  const open = (changed: Readonly<Record<string, unknown>>, secret = known) =>
    pinningService.open({
      backend,
      options: pinningService.options.parse({
        url: first.pinning,
        token: "env:TOKEN",
        scheme: "Basic",
        node: source.rpc,
        gateway,
        timeout,
        pinTimeout: "20s",
        ...changed,
      }),
      capacityBytes: undefined,
      secret: () => Promise.resolve(secret),
    });
  const spoilt = {
    url: await proxy.before(first.pinning),
    node: await proxy.before(source.rpc),
    gateway: await proxy.before(gateway),
  };
  return await placeOf(begun, proxy, {
    direct: open({ timeout: "30s" }),
    spoilt: open(spoilt),
    stranger: open({}, "tester:not the secret"),
    kill: (which) => (which === "sent" ? source.kill() : first.node.kill()),
    startAgain: async () => {
      await Promise.all([source.startAgain(), first.node.startAgain()]);
      // What only the other peer pinned comes to the gateway from there.
      await connectKubo(first.node, second.node);
      await cluster.untilTogether();
    },
  });
}

type Opening = Pick<FaultPlace, "kill" | "startAgain"> &
  Readonly<Record<"direct" | "spoilt" | "stranger", Promise<Driver>>>;

async function placeOf(
  begun: AsyncDisposableStack,
  proxy: SpoilingProxy,
  opening: Opening,
): Promise<FaultPlace> {
  const opened = async (promised: Promise<Driver>): Promise<Driver> =>
    begun.adopt(await promised, (driver) => driver.close());
  const [direct, spoilt, stranger] = [
    await opened(opening.direct),
    await opened(opening.spoilt),
    await opened(opening.stranger),
  ];
  const { kill, startAgain } = opening;
  const ending = begun.move();
  const end = () => ending.disposeAsync();
  return { proxy, direct, spoilt, stranger, kill, startAgain, [Symbol.asyncDispose]: end };
}
