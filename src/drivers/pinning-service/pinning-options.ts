import { z } from "zod";
import { secretField } from "#model/secret-reference.ts";
import { durationOption } from "#drivers/contract/duration-option.ts";
import { gatewaySecretField, gatewaySecretsIn } from "#drivers/contract/gateway-secret.ts";
import { webAddress } from "#drivers/contract/web-address.ts";

const originsMax = 20;

/** What may stand under `options:` of a pinning-service backend. */
export const pinningOptions = z.strictObject({
  url: webAddress("`token`").describe("Address of the service, below which `/pins` is."),
  token: secretField.describe("The access token, by reference: env:, file:, command:"),
  scheme: z
    .enum(["Bearer", "Basic"])
    .default("Bearer")
    .describe("How the token is sent; Basic takes `name:password`, as IPFS Cluster wants it."),
  name: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe("Name of the pins; without it that of the content: its CID."),
  meta: z
    .record(z.string().regex(/^(?!thermocline-)[\w.-]{1,63}$/), z.string().max(1_000))
    .default({})
    .describe(
      "Kept with each pin; only pins that have it are seen, so that others may use the account.",
    ),
  origins: z
    .array(z.string().startsWith("/"))
    .max(originsMax)
    .default([])
    .describe("Multiaddrs with peer IDs where the service can fetch what it is to pin."),
  node: webAddress("`nodeAuthorization`")
    .optional()
    .describe(
      "RPC API of an IPFS node of yours from which the service fetches. Without it only what the " +
        "IPFS network has already can be pinned.",
    ),
  nodeAuthorization: secretField
    .optional()
    .describe(
      "For `node`: the secret of a user in its `API.Authorizations`, as it stands there " +
        "(`bearer:TOKEN`, `basic:USER:PASSWORD`), or the whole header.",
    ),
  gateway: webAddress(gatewaySecretsIn)
    .optional()
    .describe("Trustless gateway of the service: copies are read and re-hashed through it."),
  gatewayAuthorization: gatewaySecretField,
  pinTimeout: durationOption(
    "So long a write waits until it is pinned; then its step comes back later.",
  ).prefault("30s"),
  timeout: durationOption("A request without any progress for so long is given up.").prefault(
    "60s",
  ),
});

export type PinningOptions = z.output<typeof pinningOptions>;
