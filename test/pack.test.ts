import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const node = process.execPath;
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-pack-"));
  await run("npm", ["pack", "--pack-destination", folder, "--loglevel=error"], { cwd: root });
  await writeFile(join(folder, "package.json"), '{"name":"empty","private":true}');
  const { version } = await manifest();
  const install = ["install", `./thermocline-${version}.tgz`, "--prefer-offline"];
  await run("npm", [...install, "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder });
}, 240_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test("the packed binary, installed in an empty folder, prints its version", async () => {
  const { version } = await manifest();
  const { stdout } = await thermocline("--version");
  expect(stdout.trim()).toBe(version);
});

test("the packed binary writes a configuration and finds its example policy valid", async () => {
  await thermocline("init");
  const { stdout, stderr } = await thermocline("validate");
  expect(stdout + stderr).toMatch(/1 polic/);
});

test("the packed binary loads its index, drivers and the embedded queue's binaries", async () => {
  const { stdout } = await thermocline("doctor", "-o", "json");
  const checks = (JSON.parse(stdout) as { checks: { name: string; state: string }[] }).checks;
  expect(checks.filter(({ state }) => state !== "ok")).toEqual([]);
});

function thermocline(...args: string[]) {
  const binary = join(folder, "node_modules", ".bin", "thermocline");
  return run(node, [binary, ...args], { cwd: folder });
}

async function manifest(): Promise<{ version: string }> {
  return JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
}
