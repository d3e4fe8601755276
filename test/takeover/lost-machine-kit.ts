import { afterEach, describe, expect, test } from "vitest";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import type { Workspace } from "../integration/workspace.ts";
import { loseAMachine } from "./lose-a-machine.ts";

/** What must hold on a kind of queue server; a file for each, so that they run side by side. */
export function testLostMachine(name: (typeof queueServers)[number]["name"]): void {
  const kind = queueServers.find((one) => one.name === name);
  const why = kind === undefined ? "there is no such kind" : kind.missing;
  const spaces: Workspace[] = [];
  let server: QueueServer | undefined;

  afterEach(async () => {
    for (const space of spaces.splice(0).toReversed()) await space.dispose();
    await server?.stop();
    server = undefined;
  });

  describe.skipIf(why !== undefined)(
    `a controller lost with its index, on ${name}${why === undefined ? "" : ` (skipped: ${why})`}`,
    () => {
      test("the standby ends the run, with no permit before unknown ones ran out", async () => {
        server = await kind?.start();
        if (server === undefined) throw new Error("the server did not start");
        const { permits, permitsTooEarly } = await loseAMachine(server, spaces);
        expect(permits).toBeGreaterThan(0);
        expect(permitsTooEarly).toBe(0);
      }, 600_000);
    },
  );
}
