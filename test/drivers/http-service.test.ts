import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { HttpService } from "#drivers/contract/http-service.ts";

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

test.each([
  { method: "GET", asked: 2, repeats: {} },
  { method: "POST", asked: 1, repeats: {} },
  { method: "POST", asked: 2, repeats: { isRepeatable: true } },
] as const)("over dead kept connections a $method goes out $asked time(s)", async (told) => {
  const { method, repeats } = told;
  let answers = true;
  let heard = 0;
  const waiting: Socket[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", () => {
      heard += 1;
      if (!answers) {
        socket.resetAndDestroy();
        return;
      }
      waiting.push(socket);
      // All at once, so that each has a connection of its own.
      if (waiting.length === 4) for (const one of waiting.splice(0)) one.write(answer);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  const service = new HttpService({ url: `http://127.0.0.1:${port}`, idleTimeoutMs: 20_000 });
  const ask = async (): Promise<string> =>
    await (await service.ask({ method, path: "/", doing: "asking", ...repeats })).text();
  expect(await Promise.all([ask(), ask(), ask(), ask()])).toEqual(["ok", "ok", "ok", "ok"]);
  answers = false;
  heard = 0;
  await expect(ask()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(heard).toBe(told.asked);
  service.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

test("an answer that ends with its connection is not whole where the connection breaks", async () => {
  const heard = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.write("HTTP/1.0 200 OK\r\n\r\nfirst line\n");
      heard.resolve(socket);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  const service = new HttpService({ url: `http://127.0.0.1:${port}`, idleTimeoutMs: 120_000 });
  const listing = await service.ask({ method: "GET", path: "/", doing: "listing" });
  const lines = listing.bytes()[Symbol.asyncIterator]();
  expect((await lines.next()).value).toEqual(Buffer.from("first line\n"));
  const rest = lines.next();
  (await heard.promise).resetAndDestroy();
  await expect(rest).rejects.toMatchObject({ code: "UNAVAILABLE" });
  service.close();
  server.close();
});

test.each([
  { answered: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n" },
  { answered: "HTTP/1.1 101 Switching Protocols\r\n\r\n" },
])("a service that wants another protocol gives no answer: $answered", async ({ answered }) => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", () => socket.write(answered));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  const service = new HttpService({ url: `http://127.0.0.1:${port}`, idleTimeoutMs: 120_000 });
  const asked = service.ask({ method: "POST", path: "/", doing: "asking", body: "something" });
  await expect(asked).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("another protocol (status 101)") as string,
  });
  service.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});
