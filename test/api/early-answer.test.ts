import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { expect, test } from "vitest";
import { ApiClient } from "#api/client.ts";
import { problemOf, problemType } from "#api/problem.ts";
import { EngineError } from "#model/engine-error.ts";

const request = { cid: "bafkqaaa", size: 2 ** 40, profile: "raw-sha256", form: "file" } as const;

/** More than anybody sends to its end. */
async function* endless(): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(1024 * 1024);
  for (;;) yield await Promise.resolve(piece);
}

test("an answer that comes while content is being sent is read, and then the sending ends", async () => {
  const refusal = new EngineError("NOT_FOUND", 'there is no backend "nosuch"', {
    hint: "cold, hot",
  });
  const asked: (string | undefined)[] = [];
  const sockets: Socket[] = [];
  const server = createServer((incoming, outgoing) => {
    // One that is asked to close does so with its answer, which is lost with what nobody reads.
    asked.push(incoming.headers.connection);
    sockets.push(incoming.socket);
    incoming.on("error", () => undefined);
    outgoing.writeHead(404, { "Content-Type": problemType });
    outgoing.end(JSON.stringify(problemOf(refusal)));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = new ApiClient({ address: `http://127.0.0.1:${port}`, token: "t" });
  await expect(client.storeObject(request, endless())).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: refusal.message,
    hint: refusal.hint,
  });
  expect(asked).toEqual(["keep-alive"]);
  await expect.poll(() => sockets[0]?.destroyed, { timeout: 60_000 }).toBe(true);
  server.close();
});
