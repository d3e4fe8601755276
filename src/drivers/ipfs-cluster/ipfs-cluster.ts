import type { DriverDefinition } from "#model/driver.ts";
import { HttpService } from "#drivers/contract/http-service.ts";
import { pinCapabilities } from "#drivers/contract/pin-capabilities.ts";
import { clusterCapabilitiesOf } from "#drivers/ipfs-cluster/cluster-capabilities.ts";
import { ClusterClient } from "#drivers/ipfs-cluster/cluster-client.ts";
import { ClusterDriver } from "#drivers/ipfs-cluster/cluster-driver.ts";
import { type ClusterOptions, clusterOptions } from "#drivers/ipfs-cluster/cluster-options.ts";
import { NodeReader } from "#drivers/ipfs-cluster/node-reader.ts";

/** As long as a peer waits for its node, unless it is told otherwise (`repogc_timeout`). */
const collectionMaxMs = 24 * 60 * 60 * 1_000;

/** Pins of an IPFS Cluster, which keeps each at several of its nodes. */
export default {
  name: "ipfs-cluster",
  summary: "Pins of an IPFS Cluster, which keeps each of them at several IPFS nodes.",
  options: clusterOptions,
  capabilities: { ...pinCapabilities, garbage: true },
  capabilitiesOf: clusterCapabilitiesOf,
  example: `name: cluster-eu
driver: ipfs-cluster
tier: hot
region: eu
options:
  url: http://cluster.example:9094
  username: thermocline
  password: env:CLUSTER_PASSWORD
  replicationMin: 2
  replicationMax: 3
  rpc: [http://node-1.example:5001, http://node-2.example:5001]
`,
  open: (context) => {
    const { backend, options } = context;
    const { url, username, password, token, rpc, rpcAuthorization } = options;
    const { gateway, gatewayAuthorization } = options;
    const idleTimeoutMs = options.timeout;
    const authorization = async (): Promise<string | undefined> => {
      if (token !== undefined) return `Bearer ${await context.secret(token)}`;
      if (username === undefined || password === undefined) return undefined;
      const words = Buffer.from(`${username}:${await context.secret(password)}`);
      return `Basic ${words.toString("base64")}`;
    };
    const secretOf = (reference: string | undefined) => async (): Promise<string | undefined> =>
      reference === undefined ? undefined : await context.secret(reference);
    const client = new ClusterClient(
      backend,
      new HttpService({ url, authorization, idleTimeoutMs }),
      new HttpService({ url, authorization, idleTimeoutMs: collectionMaxMs }),
    );
    const nodes = { backend, rpc, gateway, idleTimeoutMs };
    const reader = new NodeReader({
      ...nodes,
      secret: secretOf(rpcAuthorization),
      gatewaySecret: secretOf(gatewayAuthorization),
    });
    return Promise.resolve(new ClusterDriver(context, client, reader));
  },
} satisfies DriverDefinition<ClusterOptions>;
