import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

function policy(rule: string): string {
  return `apiVersion: thermocline/v1
kind: Policy
metadata: {name: spread}
rules:
  - {name: only, where: size > 0, ${rule}}
`;
}

test("a removal that would rest on its own storage is kept, and rests on another copy next time", async () => {
  await using running = await runEngine({
    queueUrl: server.url,
    policy: policy('ensure: {copies: 1, on: backend = "cold"}'),
    // Two names of one folder.
    prepare: async (folder) => {
      await mkdir(join(folder, "hot"));
      await symlink("hot", join(folder, "warm"));
    },
  });
  const { engine, folder } = running;
  const apply = async (rule: string) => {
    await writeFile(join(folder, "policies", "test.thermocline.yaml"), policy(rule));
    return running.applyToEnd();
  };
  await running.importFiles(3);
  expect(await running.applyToEnd()).toMatchObject({ progress: { done: 3 } });
  // Verified last, so that the first permits rest on these.
  const again = await apply('ensure: {copies: 1, on: backend = "warm"}');
  expect(again).toMatchObject({ progress: { done: 3 } });
  const evict = 'evict: {from: backend = "hot"}';
  const kept = await apply(evict);
  expect(kept).toMatchObject({ state: "completed", progress: { done: 0, skipped: 3, failed: 0 } });
  expect((await engine.status()).trouble).toMatchObject({ failing: 0, suspended: [] });
  const gone = await apply(evict);
  expect(gone).toMatchObject({ state: "completed", progress: { done: 3, skipped: 0, failed: 0 } });
  // What goes from the one is gone from the other: the copy on cold is the one that remains.
  const checks = await Array.fromAsync(engine.verify({}));
  const summary = checks.findLast(({ type }) => type === "summary");
  expect(summary).toMatchObject({ copies: 6, verified: 3, absent: 3, corrupt: 0 });
  expect((await engine.status()).trouble.lost).toBe(0);
});
