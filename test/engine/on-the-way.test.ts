import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { coolPolicy } from "./cool-policy.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

test("bytes of a large object are seen while it is on its way", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine, folder } = running;
  const size = 12 * 2 ** 20;
  const path = join(folder, "source");
  await mkdir(path);
  await writeFile(join(path, "large.bin"), Buffer.alloc(size, "thermocline "));
  await Array.fromAsync(engine.importDirectory({ path, backend: "hot" }));
  await engine.setLimits({ backend: "cold", bandwidth: "2M" });
  const { id } = await engine.apply({ override: ["objects"] });
  const seen = async (): Promise<number> => (await engine.why(id)).active[0]?.bytes ?? 0;
  await until(async () => (await seen()) > 0);
  expect(await seen()).toBeLessThanOrEqual(size);
  expect((await engine.run(id)).progress).toMatchObject({ bytesDone: 0, remaining: 1 });
  await engine.resetLimits("cold");
  await until(async () => (await engine.run(id)).endedAt !== undefined);
  expect((await engine.run(id)).progress).toMatchObject({ bytesDone: size, failed: 0 });
});
