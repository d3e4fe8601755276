import { afterAll, beforeAll } from "vitest";
import kubo from "#drivers/kubo/kubo.ts";
import { kitBackend } from "../conformance/driver-kit/kit-test.ts";
import { testDriver } from "../conformance/driver-kit.ts";
import { type KuboNode, kuboMissing, startKubo } from "../services/kubo.ts";
import { damageBlock, emptyKubo, openKubo } from "./kubo-place.ts";

const missing = kuboMissing();
let node: KuboNode;

beforeAll(async () => {
  if (missing === undefined) node = await startKubo();
});

afterAll(async () => {
  if (missing === undefined) await node.stop();
});

testDriver({
  name: "kubo on Kubo v0.42.0",
  definition: kubo,
  missing,
  skip: [],
  // Three leaves below a root, more than one piece of a request.
  largeBytes: 2 * 1024 * 1024 + 3,
  storage: async () => ({
    open: (options) =>
      openKubo(node, { backend: kitBackend, capacityBytes: options?.capacityBytes }),
    corrupt: (copy) => damageBlock(node, copy.locator.slice("/ipfs/".length)),
    // Blocks of unfinished imports are pinned by nobody: what holds them must be a pin.
    leftovers: async () => {
      const pins = JSON.parse(await node.ask("pin/ls?type=direct")) as { readonly Keys?: object };
      return Object.keys(pins.Keys ?? {});
    },
    remove: () => emptyKubo(node),
  }),
});
