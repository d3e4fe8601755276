import { chmod, glob, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { verifyCar } from "#content/verify-car.ts";
import { exportObjectsCar } from "#engine/callers/export-objects-car.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { newWork } from "./callers/content-engine.ts";
import { runEngine, type RunningEngine } from "./running-engine.ts";

const server = sharedQueueServer();

const policy = (rule: string) => `apiVersion: thermocline/v1
kind: Policy
metadata: {name: hand}
rules:
  - {name: two, where: size > 0, ensure: {copies: 1, on: backend = "warm"}}
  - {name: ${rule}, where: size > 0, run: {export-car: {to: handover}}}
`;

async function setRule({ folder }: RunningEngine, rule: string): Promise<void> {
  await writeFile(join(folder, "policies", "test.thermocline.yaml"), policy(rule));
}

test("objects are exported as CARs, the same as by hand; what is intact stays, what is not is written again", async () => {
  await using running = await runEngine({
    queueUrl: server.url,
    policy: policy("first"),
    more: "exports: {handover: {path: ./handover}}",
  });
  const { engine, folder } = running;
  await running.importFiles(2);
  // A disk that is not mounted: nothing is made in its place, and no object is to blame.
  const handover = join(folder, "handover");
  expect(await running.applyToEnd()).toMatchObject({ state: "partial", progress: { failed: 2 } });
  await expect(stat(handover)).rejects.toMatchObject({ code: "ENOENT" });
  expect((await engine.failures({ offset: 0, limit: 9 })).failures).toMatchObject(
    [1, 2].map(() => ({
      step: "act",
      verb: "export-car",
      backend: undefined,
      code: "UNAVAILABLE",
      message: "the folder of the export handover is not there",
    })),
  );
  await mkdir(handover);
  expect(await running.applyToEnd()).toMatchObject({ state: "completed", progress: { done: 2 } });
  expect((await engine.failures({ offset: 0, limit: 9 })).total).toBe(0);
  expect((await engine.plan({})).plan.header.totals.actions).toBe(0);
  const object = await engine.object("/source/0.txt");
  const other = await engine.object("/source/1.txt");
  const fileOf = (cid: string) => join(handover, `${cid}.car`);
  const names = [object.cid, other.cid].map((cid) => `${cid}.car`);
  expect((await readdir(handover)).toSorted()).toEqual(names.toSorted());
  const byHand = join(folder, "by-hand.car");
  const references = (async function* () {
    yield await Promise.resolve(object.cid);
  })();
  const request = { references, output: byHand, from: undefined, path: undefined };
  await exportObjectsCar(engine, { ...request, depth: undefined }, newWork());
  expect(await readFile(fileOf(object.cid))).toEqual(await readFile(byHand));

  // One CAR and the copy that it would be read from are damaged; the other CAR is not touched.
  await writeFile(fileOf(object.cid), "no CAR");
  const [copy = ""] = await Array.fromAsync(
    glob(join(folder, "hot", "objects", "*", `${object.cid}*`)),
  );
  await chmod(copy, 0o600);
  await writeFile(copy, "rotten bits");
  const { mtimeMs } = await stat(fileOf(other.cid));
  await setRule(running, "second");
  expect(await running.applyToEnd()).toMatchObject({ progress: { done: 2, failed: 0 } });
  expect((await stat(fileOf(other.cid))).mtimeMs).toBe(mtimeMs);
  const written = [await readFile(fileOf(object.cid))];
  await Array.fromAsync(verifyCar(asStream(written), object));
  const outcomes = (await Array.fromAsync(engine.audit({ where: 'rule = "hand/second"' }))).flat();
  expect(outcomes.map(({ message }) => message).toSorted(byText)).toEqual([
    "is in handover already, and intact",
    expect.stringMatching(/^written to handover, \d+ B$/),
  ]);
  const found = (await engine.object(object.cid)).copies.find(({ backend }) => backend === "hot");
  expect(found?.state).toBe("corrupt");
  expect(await readdir(handover)).toHaveLength(2);
});

function byText(a: string | null | undefined, b: string | null | undefined): number {
  return String(a) < String(b) ? -1 : 1;
}

async function* asStream(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* await Promise.resolve(pieces);
}
