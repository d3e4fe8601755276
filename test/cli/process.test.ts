import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serveApi } from "#api/serve-api.ts";
import type { ApiServer } from "#api/serve-api.ts";
import { dataPaths } from "#config/data-paths.ts";
import type { EngineApi, ObjectSummary } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import { exampleRun } from "./examples.ts";

const entry = fileURLToPath(new URL("../../src/cli/thermocline.ts", import.meta.url));
let cwd = "";
let server: ApiServer | undefined;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "cli-process-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(cwd, { recursive: true, force: true });
});

/** A controller on the data directory of the test's folder. */
async function controller(api: Partial<EngineApi>): Promise<void> {
  const paths = dataPaths(join(cwd, ".thermocline"));
  await mkdir(join(cwd, ".thermocline"));
  server = await serveApi(api as EngineApi, {
    listen: `unix:${paths.apiSocket}`,
    tokenFile: paths.apiToken,
    stateFile: paths.controllerState,
    version: "0.0.0",
  });
}

function start(...argv: readonly string[]) {
  const child = spawn(process.execPath, [entry, ...argv], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: cwd },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, ended };
}

async function run(...argv: readonly string[]) {
  const { child, ended } = start(...argv);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, stdout, stderr };
}

async function* inPieces<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  for (let at = 0; at < rows.length; at += 2_048) {
    yield await Promise.resolve(rows.slice(at, at + 2_048));
  }
}

function manyObjects(count: number): readonly ObjectSummary[] {
  return Array.from({ length: count }, (_, objectId) => ({
    objectId,
    cid: `bafy${objectId}`,
    size: 1,
    path: `/${"long/".repeat(20)}${objectId}`,
    nameCount: 1,
    type: undefined,
    collection: undefined,
    owner: undefined,
    heat: 0,
    accessed: undefined,
    backends: ["hot"],
    verified: 1,
    held: false,
  }));
}

describe("the thermocline process", () => {
  it("keeps its modules compiled in the user's own folder, for the next command", async () => {
    expect(await run("--version")).toMatchObject({ code: 0, stderr: "" });
    const kept = await readdir(join(cwd, ".cache", "thermocline", "compiled"), { recursive: true });
    expect(kept.length).toBeGreaterThan(100);
  });

  it("starts all the same where nothing can be kept", async () => {
    await writeFile(join(cwd, ".cache"), "a file");
    expect(await run("--version")).toMatchObject({ code: 0, stderr: "" });
  });

  it("talks to the controller that runs on its data directory", async () => {
    await controller({ runs: () => Promise.resolve([exampleRun("completed")]) });
    const { code, stdout, stderr } = await run("runs", "-o", "json");
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, runs: [{ id: "r1" }] });
  });

  it("passes errors of the controller on, with their code and hint", async () => {
    const error = new EngineError("NOT_FOUND", "there is no run r9", { hint: "see the runs" });
    await controller({ run: () => Promise.reject(error) });
    const { code, stdout, stderr } = await run("runs", "show", "r9");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toBe("error: there is no run r9\nhint: see the runs\n");
  });

  it("is quiet when the reader of its output has seen enough", async () => {
    await controller({ objects: () => inPieces(manyObjects(20_000)) });
    const { child, ended } = start("objects", "ls", "--limit", "20001");
    const stderr = text(child.stderr);
    child.stdout.once("data", () => child.stdout.destroy());
    expect([await ended, await stderr]).toEqual([0, ""]);
  });

  it("says where a run stands when it is interrupted, and leaves it to the controller", async () => {
    await controller({
      run: () => Promise.resolve(exampleRun("running", { done: 10, remaining: 990 })),
    });
    const { child, ended } = start("watch", "r1", "--progress", "plain");
    let shown = "";
    child.stderr.on("data", (chunk: Buffer) => {
      if (shown === "") child.kill("SIGINT");
      shown += chunk.toString();
    });
    expect(await ended).toBe(130);
    expect(shown).toContain("interrupted: 10 of 1,000 actions of run r1 are over");
    expect(shown).toContain("it goes on in the controller; see it with: thermocline watch r1");
  });

  it("exits with 64 for wrong usage and prints its usage there", async () => {
    const { code, stdout, stderr } = await run("frobnicate");
    expect([code, stdout]).toEqual([64, ""]);
    expect(stderr).toContain("unknown command 'frobnicate'");
  });
});

describe("connecting", () => {
  it("to a remote controller needs a token by reference", async () => {
    const { code, stderr } = await run("status", "--api-url", "http://127.0.0.1:9");
    expect(code).toBe(12);
    expect(stderr).toContain("needs a token");
  });

  it("says that a remote controller is away", async () => {
    await writeFile(join(cwd, "token"), "not-secret\n");
    const where = ["--api-url", "http://127.0.0.1:9", "--api-token", "file:token"];
    const { code, stderr } = await run("status", ...where);
    expect(code).toBe(69);
    expect(stderr).toContain("127.0.0.1:9");
    const missing = await run("status", ...where.slice(0, 3), "file:none");
    expect(missing.code).toBe(12);
    expect(missing.stderr).toContain("the secret file none cannot be read: ENOENT");
  });
});
