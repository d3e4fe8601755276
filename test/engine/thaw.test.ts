import { expect, test } from "vitest";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { driverWith } from "../jobs/driver-with.ts";
import { coolPolicy } from "./cool-policy.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

test("copies out of an archive wait for their restore, seen in why, and hold up no others", async () => {
  const archive = new Archive();
  const driver = (opened: Driver, backend: string): Driver =>
    backend === "hot" ? archive.over(opened) : opened;
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy, driver });
  const { engine } = running;
  await running.importFiles(3);
  const objects = await Array.fromAsync(engine.objects({}));
  for (const { cid } of objects.flat().slice(0, 2)) archive.asleep.add(cid);

  const { id } = await engine.apply({ override: ["objects"] });
  await until(async () =>
    (await engine.why(id)).waiting.some(({ wait }) => wait.reason === "thaw"),
  );
  const why = await engine.why(id);
  const wait = why.waiting.find((entry) => entry.wait.reason === "thaw")?.wait;
  expect(wait?.message).toMatch(/hot: .* is being restored.*\(and 1 more\)/);
  expect(archive.asked).toEqual(archive.asleep);
  archive.asleep.clear();
  await until(async () => (await engine.run(id)).endedAt !== undefined);
  expect(await engine.run(id)).toMatchObject({ state: "completed", progress: { done: 3 } });
  expect(running.errors).toEqual([]);
});

/** Has some objects of a real store lie in an archive: read only once they are awake. */
class Archive {
  readonly asleep = new Set<string>();
  readonly asked = new Set<string>();

  over(store: Driver): Driver {
    return driverWith(store, {
      read: (object, copy, options) => {
        if (!this.asleep.has(object.cid)) return store.read(object, copy, options);
        const details = { archived: true };
        return Promise.reject(new EngineError("NOT_SUPPORTED", "it is archived", { details }));
      },
      thaw: ({ cid }) => {
        this.asked.add(cid);
        const message = `${cid} is being restored`;
        return Promise.resolve({ readable: !this.asleep.has(cid), askAfterMs: 0, message });
      },
    });
  }
}
