import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Run } from "#model/run.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { type RunningEngine, runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

function policyOf(...rules: readonly string[]): string {
  return `apiVersion: thermocline/v1
kind: Policy
metadata: {name: test}
vars:
  least: {type: size, default: 0B}
rules:
${rules.map((rule) => `  - ${rule}\n`).join("")}`;
}

const drop = "{name: drop, where: size > $least, delete: {grace: 1s}}";
const copied = (copies: number) =>
  `{name: copied, where: size > $least, ensure: {copies: ${copies}}}`;
const evicted = "{name: leave, where: size > 0, evict: {from: tier = hot}}";

/** Begins a run that waits, writes other policies meanwhile, and lets the run go on to its end. */
async function overtaken(
  { engine, folder }: RunningEngine,
  policy: string,
  begin: () => Promise<Run> = () => engine.apply({ override: ["objects", "deletes"] }),
): Promise<Run> {
  const waiting = { scope: "everything", name: "", reason: "weekend" } as const;
  await engine.control({ ...waiting, verb: "pause" });
  let run = await begin();
  expect(run.progress.remaining).toBeGreaterThan(0);
  await writeFile(join(folder, "policies", "test.thermocline.yaml"), policy);
  await engine.control({ ...waiting, verb: "resume" });
  while (run.endedAt === undefined) {
    await sleep(50);
    run = await engine.run(run.id);
  }
  return run;
}

async function files(folder: string, backend: string): Promise<number> {
  const entries = await readdir(join(folder, backend, "objects"), {
    recursive: true,
    withFileTypes: true,
  });
  return entries.filter((entry) => entry.isFile()).length;
}

test("a deletion under way stops at what policies keep by now, and says which rule it is", async () => {
  let at = Date.now();
  const now = () => new Date(at);
  const policy = policyOf(drop);
  await using running = await runEngine({ queueUrl: server.url, policy, now });
  const { engine, folder } = running;
  await running.importFiles(4);
  expect(await running.applyToEnd()).toMatchObject({ progress: { done: 4 } });
  at += 60_000;
  const ensured = await overtaken(running, policyOf(copied(1), drop));
  expect(ensured).toMatchObject({ progress: { done: 0, skipped: 4 } });
  expect(await files(folder, "hot")).toBe(4);
  const [object] = (await Array.fromAsync(engine.objects({}))).flat();
  const story = await engine.why(object?.cid ?? "");
  expect(JSON.stringify(story)).toContain(
    "by now test/copied (policies/test.thermocline.yaml:7:5) wants copies of it",
  );

  // Nor what no rule wants deleted any more.
  await engine.setHold(object?.cid ?? "", true, "kept");
  await writeFile(join(folder, "policies", "test.thermocline.yaml"), policyOf(drop));
  const dropped = await overtaken(running, policyOf(drop.replace("> $least", "< $least")));
  expect(dropped.progress).toMatchObject({ done: 0, skipped: 3 });
  expect(await files(folder, "hot")).toBe(4);
});

test("removals wait while nobody can say what policies want, and go on by themselves", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: policyOf(copied(2)) });
  const { engine, folder, errors } = running;
  await running.importFiles(3);
  await running.applyToEnd();
  const write = (...rules: readonly string[]) =>
    writeFile(join(folder, "policies", "test.thermocline.yaml"), policyOf(...rules));
  const wide = `{name: wide, where: name = "0.txt", ensure: {copies: 3}}`;
  const others = evicted.replace("size > 0", `name != "0.txt"`);
  await write(wide, others);
  const waiting = { scope: "everything", name: "", reason: "weekend" } as const;
  await engine.control({ ...waiting, verb: "pause" });
  // A copy to make, which need not wait, and others to take away, which do.
  const run = await engine.apply({ override: ["objects"] });
  await write(wide, others.replace("name !=", "nmae !="));
  await engine.control({ ...waiting, verb: "resume" });
  await until(async () => (await engine.run(run.id)).progress.done === 1);
  const held = async () =>
    (await engine.status()).held.filter(({ wait }) => wait.reason === "policies");
  await until(async () => (await held()).length > 0);
  const place = "policies/test.thermocline.yaml:8:";
  expect(JSON.stringify(await held())).toContain(place);
  expect(JSON.stringify((await engine.why(run.id)).waiting)).toContain(place);
  const [object] = (await Array.fromAsync(engine.objects({ where: `name = "1.txt"` }))).flat();
  expect(JSON.stringify(await engine.why(object?.cid ?? ""))).toContain(place);
  await until(() => errors.some(({ message }) => message.includes(place)));
  expect((await engine.run(run.id)).progress).toMatchObject({ done: 1, skipped: 0, remaining: 2 });
  expect(await files(folder, "hot")).toBe(3);
  await write(wide, others);
  await until(async () => (await engine.run(run.id)).endedAt !== undefined);
  expect((await engine.run(run.id)).progress).toMatchObject({ done: 3, skipped: 0 });
  expect(await files(folder, "hot")).toBe(1);
  // The ledger has it once: when they waited for whom, and when they went on.
  const told = async () =>
    (await Array.fromAsync(engine.audit({ where: 'kind = "control"' })))
      .flat()
      .filter(({ reason }) => reason?.startsWith("removals") === true);
  await until(async () => (await told()).length === 2);
  expect((await told()).map(({ reason, message }) => [reason, message])).toEqual([
    ["removals wait for the policies", expect.stringContaining(place)],
    ["removals go on", "the policies can be read again"],
  ]);
});

test("an eviction under way leaves as many copies as policies want by now", async () => {
  const policy = policyOf(copied(2));
  await using running = await runEngine({ queueUrl: server.url, policy });
  const { engine, folder } = running;
  await running.importFiles(3);
  await running.applyToEnd();
  const write = (...rules: readonly string[]) =>
    writeFile(join(folder, "policies", "test.thermocline.yaml"), policyOf(...rules));
  await write(copied(1), evicted);
  const more = await overtaken(running, policyOf(copied(2), evicted));
  expect(more.progress).toMatchObject({ done: 0, skipped: 3 });
  expect(await files(folder, "hot")).toBe(3);
  // What a plan was given for a variable counts for its run.
  await write(copied(2), evicted);
  const given = await engine.apply({ variables: { least: "1GiB" }, override: ["objects"] });
  await until(async () => (await engine.run(given.id)).endedAt !== undefined);
  expect(await engine.run(given.id)).toMatchObject({ progress: { done: 3, skipped: 0 } });
});
