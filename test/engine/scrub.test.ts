import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "#config.ts";
import { BackendPool } from "#engine/backend-pool.ts";
import { Scrubbing } from "#engine/scrub/scrubbing.ts";
import type { Driver } from "#model/driver.ts";
import type { EngineError } from "#model/engine-error.ts";
import { loadDrivers } from "#registry.ts";
import { fileBody, type Sample, sample } from "../conformance/sample-object.ts";
import { openIndex } from "../index/open-index.ts";
import { driverWith } from "../jobs/driver-with.ts";

/** Findings carry the time of the clock on the wall: nothing of the stage may be younger. */
const start = Date.now() - 1_000;
const day = 24 * 3_600_000;
const objectBytes = 1_000;

test("what was proven longest ago is read again, no more than the budget of the day", async () => {
  const stage = await scrubbed({ perDay: 4 * objectBytes });
  // Ten copies, proven 40 to 49 days ago, and one whose proof is young.
  const samples = await stage.store("near", [49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 5]);
  const scrubbing = stage.open();
  expect(await scrubbing.look()).toMatchObject({ copies: 0 });
  stage.pass(day);
  expect(await scrubbing.look()).toEqual({ copies: 4, bytes: 4 * objectBytes, damaged: 0 });
  expect(await stage.proven("near")).toEqual(cidsOf(samples.slice(0, 4)));
  expect(await scrubbing.look()).toMatchObject({ copies: 0 });
  // A restart brings no new budget, and idle days do not add up.
  const again = stage.open();
  expect(await again.look()).toMatchObject({ copies: 0 });
  stage.pass(3 * day);
  expect(await again.look()).toMatchObject({ copies: 4 });
  stage.pass(day);
  expect(await again.look()).toMatchObject({ copies: 2 });
  stage.pass(day);
  expect(await again.look()).toMatchObject({ copies: 0 });
  expect(stage.errors).toEqual([]);
});

test("a damaged copy is told and opens a repair; the others are proven", async () => {
  const stage = await scrubbed({ perDay: 100 * objectBytes });
  const [first, second] = await stage.store("near", [50, 40]);
  await stage.damage("near", first);
  const scrubbing = stage.open();
  stage.pass(day);
  expect(await scrubbing.look()).toMatchObject({ copies: 2, damaged: 1 });
  expect(stage.errors.map(({ code }) => code)).toEqual(["CORRUPT"]);
  expect(stage.errors[0]?.message).toContain(first?.object.cid);
  expect(await stage.proven("near")).toEqual(cidsOf([second]));
  expect(await stage.index.failures.dueRepairs(stage.now(), 10)).toHaveLength(1);
});

test("copies that cannot be verified take turns with the others and starve nobody", async () => {
  const stage = await scrubbed({ perDay: 2 * objectBytes });
  const proven = await stage.store("near", [60, 50]);
  await stage.store("far", [90, 91, 92, 93], "listed");
  const far = stage.drivers.get("far");
  if (far === undefined) throw new Error("no store");
  const asked = new Map<string, number>();
  const verify: Driver["verify"] = async (object) => {
    asked.set(object.cid, (asked.get(object.cid) ?? 0) + 1);
    return far.verify(object, "listed");
  };
  stage.drivers.set("far", driverWith(far, { verify }));
  const scrubbing = stage.open();
  for (let round = 0; round < 2; round += 1) {
    stage.pass(day);
    await scrubbing.look();
  }
  expect(await stage.proven("near")).toEqual(cidsOf(proven));
  // Each turn another one: what was looked at goes to the end.
  expect([...asked.values()]).toEqual([1, 1]);
});

test("a backend that does not answer, or is paused, loses nothing and takes no turns", async () => {
  const stage = await scrubbed({ perDay: 100 * objectBytes });
  await stage.store("near", [50]);
  await stage.store("far", [60]);
  const order = { actor: "somebody", reason: "disk swap" };
  const target = { scope: "backend", name: "far" } as const;
  await stage.index.controls.pause(target, order, stage.now());
  const scrubbing = stage.open();
  stage.pass(day);
  expect(await scrubbing.look()).toMatchObject({ copies: 1 });
  await stage.index.controls.resume(target, order, stage.now());
  const far = stage.drivers.get("far");
  if (far === undefined) throw new Error("no store");
  stage.drivers.set("far", driverWith(far, { status: noAnswer }));
  stage.pass(day);
  expect(await scrubbing.look()).toMatchObject({ copies: 0 });
  stage.drivers.set("far", far);
  stage.pass(day);
  expect(await scrubbing.look()).toMatchObject({ copies: 1, damaged: 0 });
});

const noAnswer = () => Promise.reject(new Error("the disk is gone"));
const noSecret = () => Promise.reject(new Error("no secret is needed"));

/** Two stores, an index that believes in what is in them, and a clock that the test sets. */
async function scrubbed({ perDay }: { readonly perDay: number }) {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-scrub-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(
    join(folder, "thermocline.yaml"),
    `apiVersion: thermocline/v1
backends:
  - {name: near, driver: local, tier: hot, options: {path: ./near}}
  - {name: far, driver: local, tier: cold, options: {path: ./far}}
scrub: {perDay: ${perDay}}
`,
  );
  const definitions = await loadDrivers();
  const config = await loadConfig({ cwd: folder, env: {}, hostname: "test", drivers: definitions });
  const pool = new BackendPool({ backends: config.backends, definitions, resolveSecret: noSecret });
  onTestFinished(() => pool.close());
  const { drivers } = await pool.openAll();
  const { index } = await openIndex(["near", "far"]);
  const errors: EngineError[] = [];
  let passedMs = 0;
  let seed = 0;
  const now = () => new Date(start + passedMs);
  const proven = async (backend: string): Promise<readonly string[]> => {
    await using session = await index.session();
    const text = `SELECT o.path FROM copy c JOIN object o USING (object_id)
      WHERE c.backend = $1 AND c.verified_at >= make_timestamp($2::BIGINT) ORDER BY o.path`;
    const rows = await session.rows({ text, parameters: [backend, start * 1_000] });
    return rows.map((row) => String(row["path"]));
  };
  return {
    index,
    drivers,
    errors,
    now,
    proven,
    pass: (ms: number) => void (passedMs += ms),
    open: () => {
      const live = {
        names: pool.names,
        driver: (name: string) => {
          const driver = drivers.get(name);
          if (driver === undefined) throw new Error(`no backend ${name}`);
          return Promise.resolve(driver);
        },
        openAll: () => Promise.resolve({ drivers, failures: new Map<string, EngineError>() }),
      };
      return new Scrubbing({ config, index, pool: live, now }, (error) => errors.push(error));
    },
    store: async (
      backend: string,
      daysAgo: readonly number[],
      confidence: "verified" | "listed" = "verified",
    ): Promise<readonly Sample[]> => {
      const samples: Sample[] = [];
      for (const days of daysAgo) {
        const stored = sample(objectBytes, (seed += 1));
        const copy = await drivers.get(backend)?.write(stored.object, fileBody(stored));
        if (copy === undefined) throw new Error(`no backend ${backend}`);
        const checkedAt = new Date(start - days * day);
        const state = { state: "present", confidence, checkedAt } as const;
        const { cid } = stored.object;
        const facts = { names: [cid], tags: [], type: undefined, collection: undefined };
        const times = { created: undefined, modified: undefined, owner: undefined };
        const copies = [{ backend, copy, ...state }];
        await index.putObjects([{ ...stored.object, ...facts, ...times, copies }], checkedAt);
        samples.push(stored);
      }
      return samples;
    },
    damage: async (backend: string, stored: Sample | undefined) => {
      if (stored === undefined) throw new Error("nothing was stored");
      const copy = await drivers.get(backend)?.stat(stored.object);
      const path = join(folder, backend, copy?.locator ?? "");
      await chmod(path, 0o600);
      await writeFile(path, Buffer.alloc(objectBytes));
    },
  };
}

function cidsOf(samples: readonly (Sample | undefined)[]): readonly string[] {
  return samples.map((stored) => stored?.object.cid ?? "").toSorted((a, b) => (a < b ? -1 : 1));
}
