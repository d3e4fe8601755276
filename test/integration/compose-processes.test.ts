import type { ChildProcess } from "node:child_process";
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readComposeFile } from "../compose-file.ts";
import { freePort } from "../../scripts/services/server-process.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const compose = await readComposeFile();
const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
const why = hasRedis ? "" : " (skipped: no redis-server here, `npm run services` installs it)";
const processes = new Map<string, ChildProcess>();
let folder = "";
let ports = { redis: 0, controller: 0 };

/**
 * compose.yml without containers: each service runs as a process with the environment, files
 * and volumes that the file gives it; only places and ports are this test's own.
 */
describe.skipIf(!hasRedis)(`the services of compose.yml, as processes${why}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "thermocline-services-"));
    ports = { redis: await freePort(), controller: await freePort() };
    await writeFiles();
    await startRedis();
    for (const name of ["controller", "worker-amd64", "worker-arm64"]) {
      start(name);
      await healthy(name);
    }
  }, 120_000);

  afterAll(async () => {
    for (const name of [...processes.keys()].toReversed()) await stop(name, "SIGTERM");
    await rm(folder, { recursive: true, force: true });
  });

  test("both workers are known to the controller under their names", async () => {
    const { nodes } = await thermocline<{ nodes: { name: string; up: boolean }[] }>("nodes");
    const up = nodes.filter((node) => node.up).map(({ name }) => name);
    expect(up).toEqual(expect.arrayContaining(["worker-amd64", "worker-arm64"]));
  });

  test("content imported through the controller is moved by the workers", async () => {
    const source = join(folder, "content");
    await mkdir(source);
    for (let n = 0; n < 40; n += 1) await writeFile(join(source, `${n}.txt`), `content ${n}`);
    await thermocline("import", "dir", source, "--backend", "hot");
    await sleep(1_500);
    await thermocline("apply", "--yes", "--override", "objects");
    expect(await places()).toEqual(["cold"]);
  }, 60_000);

  test("a worker is well while the controller is away, and the work goes on afterwards", async () => {
    await stop("controller", "SIGKILL");
    expect(await health("worker-amd64")).toContain("no controller answers");
    await expect(health("controller")).rejects.toMatchObject({ code: 1 });
    start("controller");
    await healthy("controller");
    await healthy("worker-arm64");
    expect(await places()).toEqual(["cold"]);
  }, 60_000);
});

/** Where the objects are, each set of places once. */
async function places(): Promise<readonly string[]> {
  const { objects } = await thermocline<{ objects: { backends: string[] }[] }>("objects", "ls");
  expect(objects).toHaveLength(40);
  return [...new Set(objects.map(({ backends }) => backends.join("+")))];
}

async function writeFiles(): Promise<void> {
  const files: Record<string, string> = {
    "run/secrets/queue_password": "s3cret-of-this-test\n",
    "run/secrets/queue_url": `redis://:s3cret-of-this-test@127.0.0.1:${ports.redis}\n`,
    "run/secrets/api_token": "a-token-of-the-operator\n",
  };
  for (const name of Object.keys(compose.services)) {
    for (const { source, target } of compose.services[name]?.configs ?? []) {
      const text = await readFile(join(root, compose.configs[source]?.file ?? ""), "utf8");
      // Something must be idle at once; the example waits for a month.
      files[join(name, target)] = mapped(name, text).replace("idle > 30d", "idle > 1s");
    }
  }
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
}

/** Places and ports of the containers, as they are on this machine. */
function mapped(name: string, text: string): string {
  const volumes = (compose.services[name]?.volumes ?? []).map((volume) => volume.split(":"));
  return volumes
    .reduce(
      (result, [volume = "", place = ""]) =>
        result.replaceAll(place, join(folder, "volumes", volume)),
      text,
    )
    .replaceAll("/run/secrets", join(folder, "run/secrets"))
    .replaceAll("/etc/thermocline", join(folder, name, "etc/thermocline"))
    .replaceAll("0.0.0.0:7411", `127.0.0.1:${ports.controller}`)
    .replaceAll("controller:7411", `127.0.0.1:${ports.controller}`);
}

function environment(name: string): NodeJS.ProcessEnv {
  const given = Object.entries(compose.services[name]?.environment ?? {});
  const own = given.map(([variable, value]) => [variable, mapped(name, value)]);
  return { PATH: process.env["PATH"], CI: "1", ...Object.fromEntries(own) };
}

async function startRedis(): Promise<void> {
  const script = mapped("redis", compose.services["redis"]?.command[2] ?? "")
    .replaceAll("$$", "$")
    .replace(/^dir .*$/m, (line) => `${line}\nport ${ports.redis}\nbind 127.0.0.1`);
  await mkdir(join(folder, "volumes/queue"), { recursive: true });
  const server = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
  processes.set("redis", server);
  for await (const line of server.stdout) if (String(line).includes("Ready to accept")) break;
}

function start(name: string): void {
  const command = compose.services[name]?.command ?? [];
  const child = spawn(process.execPath, [join(root, "src/cli/thermocline.ts"), ...command], {
    cwd: folder,
    env: environment(name),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = createWriteStream(join(folder, `${name}.log`), { flags: "a" });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  processes.set(name, child);
}

async function stop(name: string, signal: NodeJS.Signals): Promise<void> {
  const child = processes.get(name);
  processes.delete(name);
  if (child === undefined || child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

/** The health check of the image, as Docker would run it in the service's container. */
async function health(name: string): Promise<string> {
  const env = environment(name);
  if (name === "controller") env["THERMOCLINE_API_URL"] = `http://127.0.0.1:${ports.controller}`;
  const { stdout } = await run(process.execPath, [join(root, "workers/health.ts")], { env });
  return stdout;
}

async function healthy(name: string): Promise<void> {
  const deadline = Date.now() + 40_000;
  for (;;) {
    const failure = await health(name).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) return;
    if (Date.now() > deadline || processes.get(name)?.exitCode !== null) {
      const log = await readFile(join(folder, `${name}.log`), "utf8").catch(() => "");
      throw new Error(`${name} is not healthy:\n${log}`, { cause: failure });
    }
    await sleep(300);
  }
}

/** `docker compose exec controller thermocline …`, with its JSON answer. */
async function thermocline<Answer>(...args: readonly string[]): Promise<Answer> {
  const command = [join(root, "src/cli/thermocline.ts"), ...args, "-o", "json"];
  const { stdout } = await run(process.execPath, command, {
    cwd: folder,
    env: environment("controller"),
  });
  return JSON.parse(stdout) as Answer;
}
