import { laneTiming } from "#jobs/lanes.ts";
import { pickOne } from "../../seeded-random.ts";
import type { Fault } from "./fault.ts";

/** SIGSTOP for longer than a job's lock lasts: the node is thought dead, and comes back. */
export const freezeNode: Fault = {
  name: "freeze-node",
  weight: 3,
  target: (stage, random) => pickOne(random, stage.nodes)?.name,
  inject: async ({ stage, target, wait, note }) => {
    await note({ node: target });
    stage.node(target).freeze();
    try {
      await wait(laneTiming.lockDuration + 1_000, 3 * laneTiming.lockDuration);
    } finally {
      stage.node(target).thaw();
    }
    await wait(500, 2_000);
  },
};
