import type { ServerPlace } from "../server-place.ts";
import type { Stage } from "../stage.ts";
import type { Fault } from "./fault.ts";

/** The queue store goes away, killed or stopped, and comes back with what it had. */
export const stopQueue = stopServer("stop-queue", "queue", ({ queue }) => queue);

/** The same with the S3 server behind a backend. */
export const stopBucket = stopServer("stop-bucket", "bucket", ({ bucket }) => bucket);

function stopServer(
  name: string,
  target: string,
  serverOf: (stage: Stage) => ServerPlace | undefined,
): Fault {
  return {
    name,
    weight: 2,
    target: (stage) => (serverOf(stage) === undefined ? undefined : target),
    inject: async ({ stage, random, wait, note }) => {
      const server = serverOf(stage);
      const how = random() < 0.6 ? "kill" : "clean";
      await note({ how });
      await server?.stop(how);
      await wait(300, 6_000);
      await server?.start();
      await wait(3_000, 8_000);
    },
  };
}
