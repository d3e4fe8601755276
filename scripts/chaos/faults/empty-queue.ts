import type { Fault } from "./fault.ts";

/** Everything in the queue store is lost while all nodes live. */
export const emptyQueue: Fault = {
  name: "empty-queue",
  weight: 1,
  target: () => "queue",
  inject: async ({ stage, wait, note }) => {
    await note({});
    await stage.queue.loseData();
    await wait(5_000, 10_000);
  },
};
