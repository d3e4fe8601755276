import { z } from "zod";
import { secretField } from "#model/secret-reference.ts";
import { durationOption } from "#drivers/contract/duration-option.ts";
import { gatewaySecretField, gatewaySecretsIn } from "#drivers/contract/gateway-secret.ts";
import { webAddress } from "#drivers/contract/web-address.ts";

const replicas = z.int().min(-1).max(1_000);
const metadataKey = /^(?!thermocline-)[A-Za-z0-9][\w.-]{0,62}$/;

/** What may stand under `options:` of an ipfs-cluster backend. */
export const clusterOptions = z
  .strictObject({
    url: webAddress("`username` and `password`, or `token`").describe(
      "REST API of a peer, as a rule on port 9094.",
    ),
    username: z.string().min(1).optional().describe("Name for basic authentication."),
    password: secretField.optional(),
    token: secretField.optional().describe("A token (JWT) instead of name and password."),
    replicationMin: replicas
      .default(0)
      .describe("A pin counts as made at so many peers; -1 is all, 0 what the cluster is set to."),
    replicationMax: replicas
      .default(0)
      .describe("So many peers are asked to pin; -1 is all, 0 what the cluster is set to."),
    allocations: z
      .array(z.string().min(1))
      .max(1_000)
      .default([])
      .describe("Peers to prefer, by name or peer ID."),
    allocateByTags: z
      .record(z.string().min(1), z.string())
      .default({})
      .describe("Peers to prefer, by the tags they publish: `group: rack-1`."),
    allocatePer: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Tag of the peers, e.g. `region`: the copies of a pin go to peers that differ in it, as " +
          "`per:` in a policy spreads copies over backends. Needs `replicationMax`.",
      ),
    name: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe("Name of the pins; without it that of the content: its CID."),
    metadata: z
      .record(z.string().regex(metadataKey), z.string().max(1_000))
      .default({})
      .describe("Kept with each pin, for whoever looks at the cluster: `owner: archive`."),
    rpc: z
      .array(webAddress("`rpcAuthorization`"))
      .max(1_000)
      .default([])
      .describe(
        "RPC APIs of the cluster's own IPFS nodes, as a rule on port 5001: copies are read " +
          "and re-hashed there.",
      ),
    rpcAuthorization: secretField
      .optional()
      .describe(
        "For `rpc`: the secret of a user in the nodes' `API.Authorizations`, as it stands there " +
          "(`bearer:TOKEN`, `basic:USER:PASSWORD`), or the whole header.",
      ),
    gateway: webAddress(gatewaySecretsIn)
      .optional()
      .describe("Trustless gateway of the cluster's own nodes, where they show no RPC API."),
    gatewayAuthorization: gatewaySecretField,
    pinTimeout: durationOption(
      "So long a write waits until enough peers have pinned; then its step comes back later.",
    ).prefault("30s"),
    timeout: durationOption("A request without any progress for so long is given up.").prefault(
      "60s",
    ),
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    message: "username and password go together",
    path: ["password"],
  })
  .refine(({ username, token }) => username === undefined || token === undefined, {
    message: "either username and password, or a token",
    path: ["token"],
  })
  .refine(({ allocatePer, replicationMax: max }) => allocatePer === undefined || max > 0, {
    message: "allocatePer needs to know how many peers: set replicationMin and replicationMax",
    path: ["allocatePer"],
  })
  .refine(({ replicationMin: min, replicationMax: max }) => inOrder(min, max), {
    message: "replicationMin and replicationMax are both -1, both 0, or in that order",
    path: ["replicationMax"],
  });

export type ClusterOptions = z.output<typeof clusterOptions>;

function inOrder(min: number, max: number): boolean {
  return min <= 0 || max <= 0 ? min === max : min <= max;
}
