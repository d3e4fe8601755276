import { z } from "zod";
import { secretField } from "#model/secret-reference.ts";
import { durationOption } from "#drivers/contract/duration-option.ts";
import { webAddress } from "#drivers/contract/web-address.ts";

/** What may stand under `options:` of a kubo backend. */
export const kuboOptions = z.strictObject({
  rpc: webAddress("`authorization`").describe(
    "Address of the node's RPC API, without `/api/v0`, e.g. http://127.0.0.1:5001.",
  ),
  authorization: secretField
    .optional()
    .describe(
      "Reference to the secret of a user in the node's `API.Authorizations`, as it stands there: " +
        "`bearer:TOKEN` or `basic:USER:PASSWORD`.",
    ),
  swarm: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Name of a group of nodes that are connected with each other, as by `Peering.Peers`: a node " +
        "of it fetches blocks from the others itself, without a byte passing through a worker.",
    ),
  timeout: durationOption(
    "How long the node may be silent while it checks and pins what was imported, or fetches it.",
  ).prefault("1h"),
});

export type KuboOptions = z.output<typeof kuboOptions>;
