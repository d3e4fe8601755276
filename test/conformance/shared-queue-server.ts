import { afterAll, beforeAll } from "vitest";
import { type QueueServer, queueServers } from "./queue-servers.ts";

/** One queue server for the tests of a file: Redis, or PostgreSQL where there is no Redis. */
export function sharedQueueServer(): { readonly url: string } {
  const [postgres, redis] = queueServers;
  let server: QueueServer | undefined;
  beforeAll(async () => {
    server = await (redis.missing === undefined ? redis : postgres).start();
  });
  afterAll(async () => {
    await server?.stop();
  });
  return {
    get url() {
      if (server === undefined) throw new Error("the queue server starts before the first test");
      return server.url;
    },
  };
}
