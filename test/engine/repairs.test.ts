import { chmod, glob, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import type { Engine } from "#engine.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { type RunningEngine, runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

const keepTwo = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: keep-two}
rules:
  - {name: two, where: true, ensure: {copies: 2, on: tier <= warm}}
`;
/** Never may this policy act of itself. */
const keepTwoButNotNow = keepTwo.replace(
  "rules:",
  `windows: {allow: ["Mon 03:00-03:01"], deny: [calendar: always]}\nrules:`,
);
const evictAll = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: clear-warm}
rules:
  - {name: clear, where: true, evict: {from: tier <= warm}}
`;
const always = `apiVersion: thermocline/v1
kind: Calendar
metadata: {name: always}
days: ["2020-01-01..2090-01-01"]
`;

// Each test imports another number of files: the same plan would give jobs of the same ids in
// the queue that they share.

/** The files that hold the copies of a backend, by name of the content. */
async function stored({ folder }: RunningEngine, backend: string): Promise<readonly string[]> {
  const files = await Array.fromAsync(glob(join(folder, backend, "objects", "*", "*")));
  return files.toSorted((a, b) => (basename(a) < basename(b) ? -1 : 1));
}

async function spoil(file: string | undefined): Promise<void> {
  await chmod(file ?? "", 0o600);
  await writeFile(file ?? "", "rotten bits");
}

async function verify(engine: Engine) {
  return (await Array.fromAsync(engine.verify({}))).findLast(({ type }) => type === "summary");
}

async function entries(engine: Engine, where: string) {
  return (await Array.fromAsync(engine.audit({ where, limit: 100 }))).flat();
}

test("what a check finds corrupt or gone is restored by itself, in a run of its own", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: keepTwo });
  const { engine } = running;
  await running.importFiles(6);
  await running.applyToEnd();
  await engine.start();
  const warm = await stored(running, "warm");
  await spoil(warm[0]);
  await rm(warm[1] ?? "", { force: true });
  const hot = await stored(running, "hot");
  await spoil(hot[2]);
  expect(await verify(engine)).toMatchObject({ corrupt: 2, absent: 1 });
  await until(async () => (await engine.status()).trouble.repairs === 0);
  const repairs = (await engine.runs()).filter(({ origin }) => origin === "repair");
  expect(repairs.length).toBeGreaterThan(0);
  expect(repairs.map(({ state }) => state)).toEqual(repairs.map(() => "completed"));
  expect(repairs.reduce((sum, { progress }) => sum + progress.done, 0)).toBe(3);
  expect(await verify(engine)).toMatchObject({ copies: 12, verified: 12 });
  const closed = await entries(engine, 'kind = "repair"');
  expect(closed.map(({ reason }) => reason)).toEqual(["closed", "closed", "closed"]);
});

test("a repair does not wait for the window of the policy that wants the copy", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: keepTwo });
  const { engine, folder } = running;
  await running.importFiles(2);
  await running.applyToEnd();
  const policies = join(folder, "policies");
  await writeFile(join(policies, "always.thermocline-calendar.yaml"), always);
  await writeFile(join(policies, "test.thermocline.yaml"), keepTwoButNotNow);
  await engine.start();
  await spoil((await stored(running, "warm"))[0]);
  await Array.fromAsync(engine.verify({ backend: "warm" }));
  await until(async () => (await engine.status()).trouble.repairs === 0);
  expect(await verify(engine)).toMatchObject({ copies: 4, verified: 4 });
});

test("an object without an intact copy is said to be lost, loudly, until it is imported again", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: keepTwo });
  const { engine, errors, folder } = running;
  await running.importFiles(3);
  await engine.start();
  await spoil((await stored(running, "hot"))[0]);
  await Array.fromAsync(engine.verify({ backend: "hot" }));
  await until(() => Promise.resolve(errors.some(({ code }) => code === "CORRUPT")));
  expect((await engine.status()).trouble).toMatchObject({ repairs: 1, lost: 1 });
  expect(await engine.repairs(10)).toMatchObject([
    { found: "corrupt", backend: "hot", copies: 0, message: expect.stringContaining("no intact") },
  ]);
  expect(await engine.metrics()).toMatch(/^thermocline_lost_objects 1$/m);
  expect(await entries(engine, 'kind = "repair"')).toMatchObject([{ reason: "lost" }]);
  await Array.fromAsync(engine.importDirectory({ path: join(folder, "source"), backend: "warm" }));
  expect((await engine.status()).trouble.lost).toBe(0);
});

test("of an object without an intact copy nothing is removed", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: keepTwo });
  const { engine, folder } = running;
  await running.importFiles(1);
  await running.applyToEnd();
  await engine.start();
  const files = [...(await stored(running, "hot")), ...(await stored(running, "warm"))];
  for (const file of files) await spoil(file);
  await writeFile(join(folder, "policies", "test.thermocline.yaml"), evictAll);
  expect(await verify(engine)).toMatchObject({ copies: 2, corrupt: 2 });
  const { plan } = await engine.plan({});
  expect(plan.header.totals.actions).toBe(0);
  expect([...(await stored(running, "hot")), ...(await stored(running, "warm"))]).toEqual(files);
  expect((await engine.status()).trouble.lost).toBe(1);
});

test("a repair that no backend can take stays open, and says what is missing", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: keepTwo });
  const { engine } = running;
  await running.importFiles(4);
  await running.applyToEnd();
  await engine.start();
  await engine.setCordon("warm", true);
  await rm((await stored(running, "warm"))[0] ?? "", { force: true });
  await Array.fromAsync(engine.verify({ backend: "warm" }));
  await until(async () => (await engine.repairs(1))[0]?.message !== undefined);
  expect(await engine.repairs(10)).toMatchObject([
    { found: "lost", backend: "warm", copies: 1, message: expect.stringContaining("keep-two/two") },
  ]);
  expect((await engine.status()).trouble).toMatchObject({ repairs: 1, lost: 0 });
});

test("an inventory that misses copies opens repairs too", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: keepTwo });
  const { engine } = running;
  await running.importFiles(5);
  await running.applyToEnd();
  await engine.start();
  await rm((await stored(running, "hot"))[0] ?? "", { force: true });
  const steps = await Array.fromAsync(engine.importInventory({ backend: "hot" }));
  expect(steps.at(-1)?.report).toMatchObject({ lost: 1 });
  await until(async () => (await engine.status()).trouble.repairs === 0);
  expect(await verify(engine)).toMatchObject({ copies: 10, verified: 10 });
});
