import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { findController } from "#api/find-controller.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { until } from "../conformance/test-engine.ts";
import { allOnCold } from "./all-on-cold.ts";
import { Workspace } from "./workspace.ts";

/** Supervisors kill what has not ended ten seconds after they asked (docker stop). */
const endWithinMs = 9_000;

let workspace: Workspace | undefined;
let another: QueueServer | undefined;
afterEach(async () => {
  await workspace?.dispose();
  await another?.stop();
});

describe.each(queueServers)("with $name as queue", ({ missing, start }) => {
  test.skipIf(missing !== undefined)(
    "controller and worker end within seconds of SIGTERM although the queue server is gone, and another queue goes on with their run",
    async () => {
      const server = await start();
      const found = await Workspace.create({ policies: { all: allOnCold }, queueUrl: server.url });
      workspace = found;
      const source = join(found.path, "content");
      await mkdir(source);
      for (let at = 0; at < 4; at += 1) {
        await writeFile(join(source, `${at}.bin`), Buffer.alloc(1024 * 1024, at));
      }
      const controller = await found.startController();
      await found.ok("import", "dir", source, "--backend", "hot");
      let api = await controllerOf(found);
      // Slow enough to be under way when the server goes.
      await api.setLimits({ backend: "cold", bandwidth: "100K", perNode: 2, reason: "a test" });
      const worker = found.start("worker", "--node-name", "worker-1");
      const { id } = await api.apply({ override: ["objects"] });
      await until(async () => (await api.why(id)).active.length > 0);
      await server.stop();
      for (const node of [worker, controller]) {
        const exited = once(node, "exit");
        const askedAt = performance.now();
        node.kill("SIGTERM");
        expect(await exited).toEqual([143, null]);
        expect(performance.now() - askedAt).toBeLessThan(endWithinMs);
      }

      another = await start();
      await writeFile(join(found.path, "queue-url"), another.url);
      await found.startController();
      found.start("worker", "--node-name", "worker-1");
      api = await controllerOf(found);
      await api.resetLimits("cold");
      await until(async () => (await api.run(id)).endedAt !== undefined, 120_000);
      expect(await api.run(id)).toMatchObject({ state: "completed", progress: { done: 4 } });
      expect((await found.audit()).problems).toBe("");
    },
    120_000,
  );
});

async function controllerOf({ path }: Workspace): Promise<EngineApi> {
  const found = await findController(join(path, ".thermocline", "controller.json"));
  if (found === undefined) throw new Error("no controller");
  return found;
}
