import { get, type IncomingMessage } from "node:http";
import { expect, test, vi } from "vitest";
import { serveApi } from "#api/serve-api.ts";
import { ApiClient } from "#api/client.ts";
import { EngineError } from "#model/engine-error.ts";
import { sampleEngine } from "./sample-engine.ts";
import { serveEngine } from "./served-engine.ts";

const piece = Buffer.alloc(256 * 1024, 7);
const query = { object: "/a", backend: "hot", form: "file" } as const;

test("bytes that fail in their middle break the connection off, are told once, and hold no words", async () => {
  await using served = await serveEngine(sampleEngine(), "loopback");
  await served.server.close();
  const told: EngineError[] = [];
  const printed = vi.spyOn(console, "error");
  const arrived = Promise.withResolvers<undefined>();
  const api = {
    ...sampleEngine(),
    async *readObject() {
      yield piece;
      yield piece;
      await arrived.promise;
      throw new EngineError("CORRUPT", "the copy on hot is damaged");
    },
  };
  const server = await serveApi(api, {
    ...served.options,
    onBrokenAnswer: (error) => told.push(error),
  });
  try {
    const url = `${server.address}/api/v1/object/content?object=%2Fa&backend=hot&form=file`;
    const headers = { authorization: `Bearer ${served.token}` };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { headers, agent: false }, resolve).on("error", reject);
    });
    const received: Buffer[] = [];
    const reading = (async () => {
      for await (const bytes of answer) {
        received.push(bytes as Buffer);
        arrived.resolve(undefined);
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(answer.complete).toBe(false);
    expect(Buffer.concat(received).every((byte) => byte === 7)).toBe(true);
    expect(told.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "CORRUPT the answer to GET /api/v1/object/content broke off: the copy on hot is damaged",
    ]);
    expect(printed).not.toHaveBeenCalled();

    const client = new ApiClient({ address: server.address, token: served.token });
    const failed = Array.fromAsync(client.readObject(query));
    await expect(failed).rejects.toBeInstanceOf(EngineError);
  } finally {
    printed.mockRestore();
    await server.close();
  }
});
