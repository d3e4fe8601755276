import { expect, test } from "vitest";
import { nodeHealth } from "#api/node-health.ts";
import { sampleEngine } from "./sample-engine.ts";
import { serveEngine } from "./served-engine.ts";

test("a controller is well when it is ready, a worker when its controller sees it", async () => {
  await using served = await serveEngine(sampleEngine(), "loopback");
  const { token } = served;
  const url = served.server.address;
  expect(await nodeHealth({ url, token: undefined, node: undefined })).toMatchObject({
    healthy: true,
  });
  expect(await nodeHealth({ url, token, node: "node-1" })).toMatchObject({ healthy: true });
  expect(await nodeHealth({ url, token, node: "node-2" })).toEqual({
    healthy: false,
    reason: "node node-2 has not reported itself yet",
  });
  expect(await nodeHealth({ url, token: "wrong", node: "node-1" })).toMatchObject({
    healthy: false,
  });
});

test("a node that its controller has lost is not well", async () => {
  const api = sampleEngine();
  const lost = async () => (await api.nodes()).map((node) => ({ ...node, up: false }));
  await using served = await serveEngine({ ...api, nodes: lost }, "loopback");
  const request = { url: served.server.address, token: served.token, node: "node-1" };
  expect(await nodeHealth(request)).toEqual({
    healthy: false,
    reason: "node node-1 was last seen 2026-03-01T12:00:00.000Z",
  });
});

test("while the controller is away a worker is well, and the controller is not", async () => {
  const url = "unix:/nonexistent/api.sock";
  expect(await nodeHealth({ url, token: "x", node: "node-1" })).toMatchObject({ healthy: true });
  expect(await nodeHealth({ url, token: "x", node: undefined })).toMatchObject({
    healthy: false,
  });
});
