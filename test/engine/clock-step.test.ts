import { expect, test, vi } from "vitest";
import { formatStatus } from "#cli/output/format-status.ts";
import type { Engine } from "#engine.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();
const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: cold}
rules:
  - {name: down, where: size > 0, demote: {from: tier = hot, to: tier = cold}}
`;
const minute = 60_000;
const hour = 60 * minute;

test("a controller's clock that goes forward holds removals, also of the next controller", async () => {
  let aheadMs = 0;
  const now = () => new Date(Date.now() + aheadMs);
  await using running = await runEngine({ queueUrl: server.url, policy, now });
  const { engine } = running;
  await engine.start();
  expect((await engine.status()).leader?.removalsFrom).toBeUndefined();
  aheadMs = 3 * hour;
  const leader = await heldLeader(engine);
  expect(leader).toMatchObject({ clockStepMs: expect.closeTo(3 * hour, -4) as number });
  const heldMs = Date.parse(leader.removalsFrom ?? "") - now().getTime();
  // Permits of ten minutes, a call, and what clocks may differ.
  expect(heldMs).toBeGreaterThan(11 * minute);
  expect(heldMs).toBeLessThanOrEqual(12 * minute);
  expect(formatStatus(await engine.status(), now())).toMatch(
    /removals +wait until \S+: the controller's clock went forward by 3h, and permits from before may be in use/,
  );
  await engine.close();
  await using next = await startAgain(() => running.reopen());
  const after = (await next.engine.status()).leader;
  expect(Date.parse(after?.removalsFrom ?? "")).toBeGreaterThan(now().getTime() + 10 * minute);
  expect(after?.clockStepMs).toBeUndefined();
}, 60_000);

async function startAgain(reopen: () => Promise<Engine>) {
  const engine = await reopen();
  await engine.start();
  return { engine, [Symbol.asyncDispose]: () => engine.close() };
}

/** Who leads, once the dispatcher has looked at its clock. */
async function heldLeader(engine: Engine) {
  return await vi.waitFor(
    async () => {
      await engine.setCordon("warm", false);
      const { leader } = await engine.status();
      if (leader?.removalsFrom === undefined) throw new Error("removals do not wait yet");
      return leader;
    },
    { timeout: 30_000, interval: 200 },
  );
}
