import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeFile } from "node:fs/promises";
import { loadConfig } from "#config.ts";
import { checkBackend } from "#cli/doctor/check-backend.ts";
import { BackendPool } from "#engine/backend-pool.ts";
import { backendReports } from "#engine/backend-reports.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Driver, StorageIdentity } from "#model/driver.ts";
import { loadDrivers } from "#registry.ts";
import { driverWith } from "../jobs/driver-with.ts";

const names = ["near", "far"];

const resolveSecret = () => Promise.reject(new Error("no secret is needed"));

/** Two folders, of which the second says of itself what a test wants. */
async function reported(identity: StorageIdentity | ((near: Driver) => StorageIdentity)) {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-reports-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(
    join(folder, "thermocline.yaml"),
    `apiVersion: thermocline/v1
backends:
${names.map((name) => `  - {name: ${name}, driver: local, tier: hot, options: {path: ./${name}}}`).join("\n")}
`,
  );
  const definitions = await loadDrivers();
  const config = await loadConfig({ cwd: folder, env: {}, hostname: "test", drivers: definitions });
  class Pool extends BackendPool {
    override async driver(name: string): Promise<Driver> {
      const driver = await super.driver(name);
      if (name !== "far") return driver;
      const said = typeof identity === "function" ? identity(await super.driver("near")) : identity;
      return driverWith(driver, { identity: said });
    }
  }
  const pool = new Pool({ backends: config.backends, definitions, resolveSecret });
  onTestFinished(() => pool.close());
  return { alone: await backendReports(pool, ["far"]), all: await backendReports(pool, names) };
}

test("a backend that cannot say which storage it is fails, where there are others of its kind", async () => {
  const denied = new EngineError("FORBIDDEN", "id is not allowed", { hint: "allow /api/v0/id" });
  const { alone, all } = await reported({ kind: "folder", names: () => Promise.reject(denied) });
  expect(alone[0]?.troubles).toEqual([]);
  expect(all.map(({ troubles }) => troubles)).toEqual([
    [],
    [
      {
        state: "failed",
        message: "which storage it is could not be asked: id is not allowed",
        hint: "allow /api/v0/id; until then no removal rests on it and backend near together",
      },
    ],
  ]);
});

test("storages of another kind need no name", async () => {
  const silent = new EngineError("FORBIDDEN", "id is not allowed");
  const { all } = await reported({ kind: "ipfs", names: () => Promise.reject(silent) });
  expect(all.map(({ troubles }) => troubles)).toEqual([[], []]);
});

test("what is the same storage is said once, with what to do where it is not", async () => {
  const { all } = await reported((near) => ({
    kind: "folder",
    names: async () => (await near.identity?.names()) ?? [],
    hint: "name the account",
  }));
  expect(all.map(({ troubles }) => troubles)).toEqual([
    [],
    [
      {
        state: "failed",
        message: "the same storage as backend near: what lies there is one copy",
        hint:
          "give each backend storage of its own, or take one out; " +
          "no removal from one rests on the other; name the account",
      },
    ],
  ]);
});

test("doctor reads the answer of a controller that tells no troubles", () => {
  const status = { server: "a folder", writable: true, usedBytes: 0, freeBytes: 1, totalBytes: 1 };
  expect(checkBackend({ name: "near", status })).toEqual([
    { name: "backend near", state: "ok", message: "a folder, readable and writable" },
  ]);
});
