import { pickOne } from "../../seeded-random.ts";
import type { Fault } from "./fault.ts";

/** kill -9 of a controller or worker, started again after a while. */
export const killNode: Fault = {
  name: "kill-node",
  weight: 6,
  target: (stage, random) => pickOne(random, stage.nodes)?.name,
  inject: async ({ stage, target, wait, note }) => {
    await note({ node: target });
    await stage.node(target).kill();
    await wait(50, 4_000);
    stage.node(target).start();
    // It gets some time to do something before the next fault may hit it.
    await wait(1_000, 4_000);
  },
};
