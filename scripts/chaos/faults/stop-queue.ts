import type { Fault } from "./fault.ts";

/** The queue store goes away, killed or stopped, and comes back with what it had. */
export const stopQueue: Fault = {
  name: "stop-queue",
  weight: 2,
  target: () => "queue",
  inject: async ({ stage, random, wait, note }) => {
    const how = random() < 0.6 ? "kill" : "clean";
    await note({ how });
    await stage.queue.stop(how);
    await wait(300, 6_000);
    await stage.queue.start();
    await wait(3_000, 8_000);
  },
};
