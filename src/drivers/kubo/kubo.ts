import type { DriverDefinition } from "#model/driver.ts";
import { kuboCapabilities } from "#drivers/kubo/kubo-capabilities.ts";
import { type KuboOptions, kuboOptions } from "#drivers/kubo/kubo-options.ts";

/** Recursive pins of an IPFS node. */
export default {
  name: "kubo",
  summary: "Recursive pins of an IPFS node (Kubo), through its RPC API.",
  options: kuboOptions,
  capabilities: kuboCapabilities,
  example: `name: kubo-eu
driver: kubo
tier: hot
region: eu
options:
  rpc: http://127.0.0.1:5001
  authorization: env:KUBO_AUTHORIZATION
`,
  open: async (context) => {
    const { KuboDriver } = await import("#drivers/kubo/kubo-driver.ts");
    return new KuboDriver(context);
  },
} satisfies DriverDefinition<KuboOptions>;
