import { chmod, glob, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

function policyOf(...rules: readonly string[]): string {
  const lines = rules.map((rule) => `  - ${rule}\n`).join("");
  return `apiVersion: thermocline/v1\nkind: Policy\nmetadata: {name: care}\nrules:\n${lines}`;
}

const tagging =
  "{name: mark, where: size > 0, run: {tag: {add: seen, remove: fresh, set: {by: policy}}}}";

test("tags are set once, and a plan after that has nothing to do", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: policyOf(tagging) });
  const { engine } = running;
  await running.importFiles(3);
  expect(await running.applyToEnd()).toMatchObject({ state: "completed", progress: { done: 3 } });
  const object = await engine.object("/source/0.txt");
  expect(object.tags).toEqual(["by=policy", "seen"]);
  expect((await engine.plan({})).plan.header.totals.actions).toBe(0);
  const explained = await engine.explain({ object: "/source/0.txt" });
  expect(explained.rules[0]?.result).toBe("satisfied: it was done, or need not be yet");
  const outcomes = (await Array.fromAsync(engine.audit({ where: 'verb = "tag"' }))).flat();
  expect(outcomes.map(({ outcome, rule }) => [outcome, rule])).toEqual(
    [1, 2, 3].map(() => ["done", "care/mark"]),
  );
});

test("a check that a rule asks for finds what is damaged, and an ensure makes it good", async () => {
  const rules = [
    "{name: check, where: size > 0, run: {verify: {on: tier = hot, every: 1h}}}",
    "{name: safe, where: size > 0, ensure: {copies: 2}}",
  ];
  await using running = await runEngine({ queueUrl: server.url, policy: policyOf(...rules) });
  const { engine, folder } = running;
  await running.importFiles(2);
  expect(await running.applyToEnd()).toMatchObject({ state: "completed", progress: { done: 2 } });
  const { cid } = await engine.object("/source/1.txt");
  const [file] = await Array.fromAsync(glob(join(folder, "hot", "objects", "*", `${cid}*`)));
  await chmod(file ?? "", 0o600);
  await writeFile(file ?? "", "rotten bits");
  const at = new Date(Date.now() + 2 * 3_600_000).toISOString();
  const later = await engine.plan({ at });
  expect(later.sample.map(({ verb, reason }) => [verb, reason])).toEqual(
    [1, 2].map(() => ["verify", "a copy of it was not fully checked of late"]),
  );
  await writeFile(
    join(folder, "policies", "test.thermocline.yaml"),
    policyOf(...rules).replace("1h", "1ms"),
  );
  expect(await running.applyToEnd()).toMatchObject({ progress: { done: 2, failed: 0 } });
  const checks = (await Array.fromAsync(engine.audit({ where: 'verb = "verify"' }))).flat();
  expect(checks.filter(({ message }) => message?.startsWith("found corrupt"))).toHaveLength(1);
});
