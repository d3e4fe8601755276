import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { tripPlacesMissing } from "../round-trips/trip-places.ts";

const missing = tripPlacesMissing();
if (missing !== undefined) console.error(`skipped: the bench of transfers: ${missing}`);
const script = fileURLToPath(new URL("../../bench/transfers.ts", import.meta.url));

describe.skipIf(missing !== undefined)("the bench of transfers", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "thermocline-bench-test-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  function start(...args: readonly string[]) {
    const env = { ...process.env, TMPDIR: folder };
    const child = spawn(process.execPath, [script, ...args], { env });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text;
      });
    }
    const ended = once(child, "close").then(([code]) => ({ code: code as number, ...output }));
    return { child, output, ended };
  }

  test("takes every pair of storage, large and small, and the CAR, and leaves nothing", async () => {
    const args = ["--large", "1MiB", "--small", "20", "--rounds", "1", "--json"];
    const { code, stdout, stderr } = await start(...args).ended;
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const { results } = JSON.parse(stdout) as { readonly results: { readonly what: string }[] };
    const kinds = ["local", "s3", "kubo"];
    const pairs = kinds.flatMap((from) =>
      kinds.filter((to) => to !== from).map((to) => `${from} to ${to}`),
    );
    const expected = [...pairs, ...pairs.map((pair) => `small files, ${pair}`)];
    const cars = ["the CID of a file", "a file to a CAR", "export-car of an object"];
    expect(results.map(({ what }) => what).toSorted()).toEqual([...expected, ...cars].toSorted());
    expect(await readdir(folder)).toEqual([]);
  }, 300_000);

  test.skipIf(process.platform !== "linux")(
    "leaves no server behind when it is ended, at its beginning or later, once or twice",
    async () => {
      for (const untilIt of [
        (output: string, servers: number) => output.length > 0 && servers > 0,
        (_output: string, servers: number) => servers > 0,
      ]) {
        const { child, output, ended } = start("--large", "4MiB", "--small", "20");
        const servers = new Set<number>();
        await vi.waitFor(
          () => {
            for (const pid of childrenOf(child.pid ?? 0)) servers.add(pid);
            expect(untilIt(output.stdout, servers.size)).toBe(true);
          },
          { timeout: 120_000, interval: 20 },
        );
        child.kill("SIGTERM");
        child.kill("SIGTERM");
        for (const pid of childrenOf(child.pid ?? 0)) servers.add(pid);
        expect((await ended).code).toBe(143);
        expect([...servers].filter(isRunning)).toEqual([]);
        expect(await readdir(folder)).toEqual([]);
      }
    },
    300_000,
  );
});

/** Processes that another one started. */
function childrenOf(parent: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && statOf(name)[1] === `${parent}`)
    .map(Number);
}

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && statOf(`${pid}`)[0] !== "Z";
}

/** State and parent of a process; nothing when it has ended. */
function statOf(pid: string): readonly string[] {
  try {
    const [, after = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
    return after.split(" ");
  } catch {
    return [];
  }
}
