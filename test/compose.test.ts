import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import type { Service } from "./compose-file.ts";
import { readComposeFile } from "./compose-file.ts";
import { settingNames } from "#config/setting-names.ts";
import { freePort } from "../scripts/services/server-process.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const compose = await readComposeFile();
const services = Object.entries(compose.services);

test("there are a queue, a controller, and a worker for each architecture", () => {
  const commands = services.map(([name, { command, platform }]) => [name, command[0], platform]);
  expect(commands).toEqual([
    ["redis", "sh", undefined],
    ["controller", "controller", undefined],
    ["worker-amd64", "worker", "linux/amd64"],
    ["worker-arm64", "worker", "linux/arm64"],
  ]);
});

test("everything a service refers to is declared, and everything declared is used", async () => {
  expect(named((service) => service.secrets)).toEqual(declared(compose.secrets));
  expect(named((service) => service.networks)).toEqual(declared(compose.networks));
  expect(named(({ volumes }) => volumes.map((volume) => volume.split(":")[0] ?? ""))).toEqual(
    declared(compose.volumes),
  );
  expect(named(({ configs }) => (configs ?? []).map(({ source }) => source))).toEqual(
    declared(compose.configs),
  );
  const needed = named((service) => Object.keys(service.depends_on ?? {}));
  expect(declared(compose.services)).toEqual(expect.arrayContaining(needed));
  const dockerfiles = named(({ build }) => (build ? [build.dockerfile] : []));
  const files = [...Object.values(compose.configs).map(({ file }) => file), ...dockerfiles];
  await Promise.all(files.map((file) => access(join(root, file))));
});

test("no service has more rights than it needs", () => {
  for (const [name, service] of services) {
    expect({ name, ...service }).toMatchObject({
      name,
      read_only: true,
      user: expect.stringMatching(/^(?:node|redis)$/),
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      healthcheck: { test: expect.anything() },
    });
    expect(service).not.toHaveProperty("privileged");
    expect((service.ports ?? []).every((port) => port.startsWith("127.0.0.1:"))).toBe(true);
  }
});

test("the environment sets only settings that exist, and secrets only as files", () => {
  const known = settingNames().map((setting) => setting.variable);
  const set = services.flatMap(([, { environment }]) => Object.entries(environment ?? {}));
  const unknown = set.filter(([variable]) => {
    const plain = variable.replace(/_FILE$/, "");
    return plain !== "THERMOCLINE_CONFIG" && !known.includes(plain);
  });
  expect(unknown).toEqual([]);
  const values = set.filter(([variable]) => secretSetting.test(variable)).map(([, value]) => value);
  expect(values.length).toBeGreaterThan(0);
  expect(values.filter((value) => !value.startsWith("/run/secrets/"))).toEqual([]);
});

const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
const why = hasRedis ? "" : " (skipped: no redis-server here, `npm run services` installs it)";

test.skipIf(!hasRedis)(
  `the queue's command asks for the password and keeps jobs${why}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "thermocline-compose-"));
    const port = await freePort();
    await mkdir(join(folder, "data"));
    await writeFile(join(folder, "queue_password"), "s3cret-of-this-test\n");
    const script = (compose.services["redis"]?.command[2] ?? "")
      .replaceAll("$$", "$")
      .replaceAll("/run/secrets", folder)
      .replace("dir /data", `dir ${folder}/data\nport ${port}\nbind 127.0.0.1`);
    const server = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(server, "exit");
    try {
      for await (const line of server.stdout) if (String(line).includes("Ready to accept")) break;
      const stranger = new Redis(port, { lazyConnect: true, retryStrategy: () => null });
      const refusal = once(stranger, "error");
      await expect(stranger.connect()).rejects.toBeInstanceOf(Error);
      expect(String(await refusal)).toContain("NOAUTH");
      stranger.disconnect();
      const client = new Redis(port, { password: "s3cret-of-this-test" });
      expect(await client.config("GET", "maxmemory-policy")).toContain("noeviction");
      expect(await client.config("GET", "appendonly")).toContain("yes");
      client.disconnect();
    } finally {
      server.kill("SIGTERM");
      const [code] = (await exited) as [number | null];
      await rm(folder, { recursive: true, force: true });
      expect(code).toBe(0);
    }
  },
);

const secretSetting = /^THERMOCLINE_(?:QUEUE_URL|API_TOKEN)/;

/** What all services name together, each name once. */
function named(pick: (service: Service) => readonly string[]): string[] {
  return [...new Set(services.flatMap(([, service]) => pick(service)))].toSorted();
}

function declared(part: object): string[] {
  return Object.keys(part).toSorted();
}
