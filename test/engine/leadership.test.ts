import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { Leadership } from "#engine/leadership.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { EngineError } from "#model/engine-error.ts";
import { loadDrivers } from "#registry.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { coolPolicy } from "./cool-policy.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

test("whoever could not begin its term does not lead: it tries again before it writes", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  await running.engine.close();
  const cwd = running.folder;
  const drivers = await loadDrivers();
  const config = await loadConfig({ cwd, env: {}, hostname: "test-node", drivers });
  const index = await ObjectIndex.open(dataPaths(config.dataDirectory).index);
  onTestFinished(() => index.close());
  const leadership = await Leadership.prepare({
    config,
    env: {},
    version: "test",
    resolveReference: () => Promise.resolve(server.url),
    now: () => new Date(),
    onError: () => undefined,
  });
  onTestFinished(() => leadership.close());
  const begin = index.terms.begin.bind(index.terms);
  const full = new EngineError("NO_SPACE", "the disk is full");
  index.terms.begin = () => Promise.reject(full);
  await expect(leadership.obtain(index)).rejects.toBe(full);
  expect([leadership.epoch, leadership.term]).toEqual([0, undefined]);
  // Nobody waits for it either.
  expect((await (await leadership.store()).lease().read()).remainingMs).toBe(0);
  index.terms.begin = begin;
  await leadership.obtain(index);
  expect(leadership.term?.epoch).toBe(leadership.epoch);
  expect(leadership.term).toMatchObject({ complete: true });
  expect((await index.terms.latest())?.mark).toBe(leadership.term?.mark);
});
