import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { EngineError } from "#model/engine-error.ts";
import { TcpProxy } from "../../scripts/chaos/tcp-proxy.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";

let server: QueueServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

test("a queue whose first contact falls into a restart of PostgreSQL works once it is back", async () => {
  server = await queueServers[0].start();
  const real = new URL(server.url);
  await using starting = await openStarting();
  let isBack = true;
  const link = await TcpProxy.open(() => (isBack ? Number(real.port) : starting.port));
  const through = new URL(real);
  through.port = String(link.port);
  const errors: EngineError[] = [];
  const store = await openQueueStore({
    url: through.href,
    namespace: "thermocline",
    onError: (error) => errors.push(error),
  });
  try {
    isBack = false;
    link.cut();
    const added = store.queue("lane").add("step", {});
    const worker = store.worker("lane", async () => "done", { concurrency: 4 });
    const completed = once(worker, "completed");
    await starting.refused(3);
    isBack = true;
    await added;
    await completed;
    // A refusal is not met with an immediate next attempt: that would be thousands a second.
    expect(starting.refusals).toBeLessThan(40);
    expect(errors.length).toBeLessThan(40);
  } finally {
    await store.close();
    await link.close();
  }
});

/** Says to everyone what a PostgreSQL says that is starting up. */
async function openStarting() {
  const fields = "SFATAL\0C57P03\0Mthe database system is starting up\0\0";
  const refusal = Buffer.alloc(5 + fields.length);
  refusal.write("E");
  refusal.writeInt32BE(4 + fields.length, 1);
  refusal.write(fields, 5, "latin1");
  const sockets = new Set<Socket>();
  const place = {
    port: 0,
    refusals: 0,
    refused: async (times: number) => {
      while (place.refusals < times) await once(fake, "connection");
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(fake, "close");
      fake.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  const fake = createServer((socket) => {
    place.refusals += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.end(refusal);
  });
  fake.listen(0, "127.0.0.1");
  await once(fake, "listening");
  const address = fake.address();
  if (typeof address === "object" && address !== null) place.port = address.port;
  return place;
}
