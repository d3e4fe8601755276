import { access, readdir, rename, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { EngineApi, ObjectsRequest } from "#model/engine-api.ts";
import { sharedQueueServer } from "../../conformance/shared-queue-server.ts";
import { coolPolicy } from "../cool-policy.ts";
import { type RunningEngine, runEngine } from "../running-engine.ts";

const server = sharedQueueServer();

async function places(engine: EngineApi, request: ObjectsRequest = {}) {
  return (await Array.fromAsync(engine.objects(request))).flat().map(({ backends }) => backends);
}

function times<Value>(count: number, value: Value): readonly Value[] {
  return Array.from({ length: count }, () => value);
}

/** Four objects on `hot`, a snapshot of that, and then everything on `cold`. */
async function cooled(running: RunningEngine): Promise<string> {
  await running.importFiles(4);
  const { cid } = await running.engine.takeSnapshot({});
  await running.applyToEnd();
  return cid;
}

test("lists, reports and queries answer as of a snapshot, and the index as before", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine, folder } = running;
  const snapshot = await cooled(running);
  expect(await places(engine, { snapshot })).toEqual(times(4, ["hot"]));
  expect(await places(engine)).toEqual(times(4, ["cold"]));

  const report = (request: { readonly snapshot?: string }) =>
    engine.report({ report: "usage", by: "backend", ...request });
  const hot = async (request: { readonly snapshot?: string }) =>
    (await report(request)).rows.find(({ group }) => group === "hot")?.values["copies"];
  expect([await hot({ snapshot }), await hot({})]).toEqual([4, 0]);
  const { takenAt } = await engine.findSnapshot(snapshot);
  expect((await report({ snapshot })).at).toBe(takenAt);

  const sql = "SELECT backend, count(*) AS copies FROM copy GROUP BY 1";
  const answer = async (name?: string) =>
    (
      await Array.fromAsync(engine.query(sql, name === undefined ? {} : { snapshot: name }))
    ).flatMap(({ rows }) => rows);
  expect(await answer("newest")).toEqual([{ backend: "hot", copies: 4 }]);
  expect(await answer(takenAt)).toEqual([{ backend: "hot", copies: 4 }]);
  expect(await answer()).toEqual([{ backend: "cold", copies: 4 }]);

  const file = join(folder, "then.csv");
  expect(await engine.exportObjects({ snapshot, file })).toMatchObject({ rows: 4 });
  await expect(answer("bafynothing")).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("questions that are asked at once share one opened snapshot, and none stays open", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine, folder } = running;
  await running.importFiles(3);
  const { cid: snapshot } = await engine.takeSnapshot({});
  const all = await Promise.all(Array.from({ length: 6 }, () => places(engine, { snapshot })));
  expect(all).toEqual(times(6, times(3, ["hot"])));
  const opened = join(folder, ".thermocline", "snapshots", "opened");
  expect(await readdir(opened)).toEqual([expect.stringContaining(snapshot)]);
  expect(await places(engine, { snapshot, limit: 1 })).toHaveLength(1);
  // Nobody reads to the end here.
  for await (const some of engine.objects({ snapshot })) {
    expect(some.length).toBeGreaterThan(0);
    break;
  }
  expect(await places(engine, { snapshot })).toHaveLength(3);
});

test("few snapshots stay loaded, and the one that nobody asked for longest goes first", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine, folder } = running;
  await running.importFiles(1);
  const opened = join(folder, ".thermocline", "snapshots", "opened");
  const cids: string[] = [];
  for (let at = 0; at < 5; at += 1) {
    await engine.setCordon("warm", at % 2 === 0);
    const { cid } = await engine.takeSnapshot({});
    cids.push(cid);
    await places(engine, { snapshot: cid });
    const [name] = (await readdir(opened)).filter((file) => file.startsWith(cid));
    await utimes(join(opened, name ?? ""), at, at + 1);
  }
  const left = await readdir(opened);
  expect(left).toHaveLength(4);
  expect(left.some((name) => name.startsWith(cids[0] ?? ""))).toBe(false);
  expect(await places(engine, { snapshot: cids[0] ?? "" })).toEqual([["hot"]]);
});

test("a plan on a snapshot says so, and is that of the index as it was", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine } = running;
  const snapshot = await cooled(running);
  const { takenAt } = await engine.findSnapshot(snapshot);
  const { plan } = await engine.plan({ snapshot });
  expect(plan).toMatchObject({ evaluatedAt: takenAt, header: { snapshot } });
  expect(plan.header.totals).toMatchObject({ actions: 4, objects: 4 });
  expect((await engine.plan({ snapshot })).plan.cid).toBe(plan.cid);
  const now = (await engine.plan({})).plan;
  expect(now.header.totals.actions).toBe(0);
  expect(now.header).not.toHaveProperty("snapshot");
  const at = "2030-01-01T00:00:00.000Z";
  expect((await engine.plan({ snapshot, at })).plan.evaluatedAt).toBe(at);
});

test("a plan on a snapshot is applied only if it is what is due now", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine, folder } = running;
  await running.importFiles(4);
  const { cid: snapshot } = await engine.takeSnapshot({});
  const planFile = join(folder, "then.plan.json");
  await engine.plan({ snapshot, out: planFile });
  const run = await engine.apply({ planFile, override: ["objects"] });
  expect(run.progress.actions).toBe(4);
  await expect
    .poll(async () => (await engine.run(run.id)).endedAt, { timeout: 120_000 })
    .toBeTruthy();

  await engine.plan({ snapshot, out: planFile });
  const again = engine.apply({ planFile, override: ["objects"] });
  await expect(again).rejects.toMatchObject({ code: "STALE_PLAN" });
});

test("a damaged part is noticed before a snapshot answers", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: coolPolicy });
  const { engine, folder } = running;
  await running.importFiles(1);
  const { cid: snapshot } = await engine.takeSnapshot({});
  const parts = join(folder, ".thermocline", "snapshots", "parts");
  const [name = ""] = await readdir(parts);
  await rename(join(parts, name), join(folder, "away"));
  await writeFile(join(parts, name), "something else");
  await expect(places(engine, { snapshot })).rejects.toMatchObject({ code: "CORRUPT" });
  await rename(join(folder, "away"), join(parts, name));
  expect(await places(engine, { snapshot })).toEqual([["hot"]]);
  await access(join(parts, name));
});
