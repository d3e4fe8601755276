import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { coolPolicy } from "./cool-policy.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

const rule = (where: string, to: string): string => `apiVersion: thermocline/v1
kind: Policy
metadata: {name: cool}
rules:
  - {name: down, where: '${where}', demote: {from: tier = hot, to: tier = ${to}}}
`;

async function fiveObjects() {
  const running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  await running.importFiles(5);
  const version = async (name: string, text: string) => {
    const folder = join(running.folder, name);
    await mkdir(folder);
    await writeFile(join(folder, "cool.thermocline.yaml"), text);
    return { policies: [folder] };
  };
  return { running, version };
}

test("two versions of the policies are planned on one index and compared object by object", async () => {
  const { running, version } = await fiveObjects();
  await using _disposed = running;
  const { engine } = running;
  const before = await engine.status();
  const paths = (await Array.fromAsync(engine.objects({}))).flat().map(({ path }) => path ?? "");
  const [one = "", two = "", three = "", four = ""] = paths;
  const old = await version("old", rule(`path in ["${one}", "${two}", "${three}"]`, "cold"));
  const next = await version("new", rule(`path in ["${two}", "${three}", "${four}"]`, "cold"));
  const diff = await engine.diffPlans({ from: old, to: next });
  expect(diff.objects).toMatchObject({
    gained: { objects: 1 },
    lost: { objects: 1 },
    changed: { objects: 0 },
    same: { objects: 2 },
  });
  const cid = async (path: string) => (await engine.object(path)).cid;
  const done = "demote to cold from hot";
  expect(
    diff.rules.map(({ difference, objects, samples }) => [difference, objects, samples]),
  ).toEqual([
    ["gained", 1, [{ cid: await cid(four), path: four, size: 9, from: [], to: [done] }]],
    ["lost", 1, [{ cid: await cid(one), path: one, size: 9, from: [done], to: [] }]],
  ]);
  const warm = await version("warm", rule("true", "warm"));
  const elsewhere = await engine.diffPlans({ from: old, to: warm, samples: 1 });
  expect(elsewhere.rules).toMatchObject([
    { rule: "cool/down", difference: "gained", objects: 2, samples: [{ from: [] }] },
    {
      rule: "cool/down",
      difference: "changed",
      objects: 3,
      bytes: 27,
      samples: [{ from: [done], to: ["demote to warm from hot"] }],
    },
  ]);
  expect((await engine.diffPlans({ from: old, to: old })).rules).toEqual([]);
  expect((await engine.status()).runs).toEqual(before.runs);
});

test("saved plans are compared as they were saved, and one with the policies of now", async () => {
  const { running, version } = await fiveObjects();
  await using _disposed = running;
  const { engine, folder } = running;
  const monday = { planFile: join(folder, "monday") };
  await engine.plan({ out: monday.planFile });
  const [held] = (await Array.fromAsync(engine.objects({ limit: 1 }))).flat();
  await engine.setHold(held?.cid ?? "", true, "evidence");
  const today = { planFile: join(folder, "today") };
  await engine.plan({ out: today.planFile });
  const diff = await engine.diffPlans({ from: monday, to: today });
  expect(diff).toMatchObject({
    from: { actions: 5 },
    to: { actions: 4 },
    objects: { lost: { objects: 1 }, same: { objects: 4 } },
    rules: [{ difference: "lost", samples: [{ cid: held?.cid }] }],
  });
  const now = await version("now", coolPolicy);
  expect((await engine.diffPlans({ from: today, to: now })).rules).toEqual([]);
  const missing = { planFile: join(folder, "nothing") };
  await expect(engine.diffPlans({ from: missing, to: today })).rejects.toMatchObject({
    code: "NOT_FOUND",
  });
});
