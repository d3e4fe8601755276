import { afterEach, beforeEach, expect, test } from "vitest";
import { redisMissing, startRedis } from "../services/redis.ts";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import type { LeaderState } from "#model/leader-state.ts";
import { sampleEngine } from "../api/sample-engine.ts";
import { at, sampleLeader, sampleNode } from "../api/sample-values.ts";
import { CommandLine } from "./command-line.ts";

const why = redisMissing();
let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

const api = { backends: () => Promise.resolve([]), status: () => sampleEngine().status() };

test.skipIf(why !== undefined)(
  "doctor names a bad setting with reason and remedy, and fails",
  async () => {
    const redis = await startRedis(["--maxmemory-policy", "allkeys-lru"]);
    await configure(redis.url);
    const text = await line.run(["doctor"], { api });
    const json = await line.run(["doctor", "-o", "json"], { api });
    await redis.stop();
    expect([text.code, json.code]).toEqual([1, 1]);
    expect(text.stdout).toContain("FAILED  queue eviction: maxmemory-policy is allkeys-lru\n");
    expect(text.stdout).toMatch(/ {8}why: when memory runs out.*\n {8}hint: set `maxmemory-policy/);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false });
  },
);

test("doctor shows what is wrong in the configuration, where it is and what to write", async () => {
  await writeFile(
    join(line.cwd, "thermocline.yaml"),
    "apiVersion: thermocline/v1\nkind: Config\nqueu: {}\n",
  );
  const text = await line.run(["doctor"]);
  expect(text.code).toBe(1);
  expect(text.stdout).toContain("FAILED  configuration: thermocline.yaml has an error\n");
  expect(text.stdout).toContain('thermocline.yaml:3:1: error: unknown key "queu"');
  expect(text.stdout).toContain("3 | queu: {}");
  const { checks } = JSON.parse((await line.run(["doctor", "-o", "json"])).stdout);
  expect(checks.at(-1)).toMatchObject({
    diagnostics: [{ code: "E0102", range: { start: { line: 3, col: 1 } } }],
  });
});

test.each([
  "{bucket: a, secretAccessKey: hunter2, bukket: x}",
  "{bucket: a, secretAccesskey: hunter2}",
  "{bucket: a, secretAccessKey: hunter2, bucket: b: c}",
])(
  "no command shows a secret that stands where the configuration is wrong: %s",
  async (options) => {
    const backend = `{name: a, driver: s3, tier: hot, options: ${options}}`;
    const text = `apiVersion: thermocline/v1\nkind: Config\nbackends:\n  - ${backend}\n`;
    await writeFile(join(line.cwd, "thermocline.yaml"), text);
    for (const argv of [["doctor"], ["config", "view"]]) {
      const { code, stdout, stderr } = await line.run(argv);
      expect(code).not.toBe(0);
      expect(stdout + stderr).toContain("(line 4 is not shown: it may hold a secret)");
      expect(stdout + stderr).not.toContain("hunter2");
    }
  },
);

test.each([
  ["pinning-service", "url: 'https://p', token: 'env:T', gateway: 'https://x/?t=hunter2'"],
  ["ipfs-cluster", "url: 'http://a', gateway: 'http://user:hunter2@x'"],
  ["ipfs-cluster", "url: 'http://a', rpc: ['http://hunter2@x']"],
  // What is wrong in another way is not repeated either.
  ["ipfs-cluster", "url: 'http://a', rpc: 'http://user:hunter2@x'"],
  ["ipfs-cluster", "url: 'http://a', gatway: 'http://x/?t=hunter2'"],
  ["kubo", "rpc: 'http://x/#hunter2'"],
  ["kubo", "rpc: 'user:hunter2@x'"],
  ["kubo", "rpc: 'htps://user:hunter2@x'"],
  ["s3", "bucket: lake, endpoint: 'https://AKIA:hunter2@x'"],
  ["s3", "bucket: lake, endpoint: 'user:hunter2@x'"],
  // A secret may be a number.
  ["s3", "bucket: lake, accessKeyId: a, secretAccessKey: 31415926"],
])("no command shows what may be secret in the options of %s: %s", async (driver, options) => {
  const backend = `{name: a, driver: ${driver}, tier: hot, options: {${options}}}`;
  const text = `apiVersion: thermocline/v1\nkind: Config\nbackends:\n  - ${backend}\n`;
  await writeFile(join(line.cwd, "thermocline.yaml"), text);
  for (const argv of [
    ["doctor", "-o", "json"],
    ["config", "view"],
  ]) {
    const { code, stdout, stderr } = await line.run(argv);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/E01(?:02|05|10)/);
    expect(stdout + stderr).not.toMatch(/hunter2|31415926/);
  }
});

test.skipIf(why !== undefined)("a warning of doctor is no failure", async () => {
  const redis = await startRedis();
  await configure(redis.url);
  const { code, stdout } = await line.run(["doctor"], { api });
  await redis.stop();
  expect(stdout).toContain("warn    queue persistence: neither appendonly nor save points");
  expect(stdout).not.toContain("FAILED");
  expect(code).toBe(0);
});

test("doctor says who leads, who stands by, and how the index is published", async () => {
  const { stdout } = await line.run(["doctor"], { api });
  expect(stdout).toContain(`ok      controller: n1 leads since ${at}, epoch 3; standby: n2\n`);
  expect(stdout).toContain(
    `ok      published index: /shared/index: newest of ${at}, took 80ms, at most every 30s\n`,
  );
});

test("doctor fails when the index cannot be published any more", async () => {
  const published = { ...sampleLeader.published, failure: "no space left on device" };
  const leader = { ...sampleLeader, standbys: [], published } as LeaderState;
  const status = async () => ({ ...(await sampleEngine().status()), leader });
  const { code, stdout } = await line.run(["doctor"], { api: { ...api, status } });
  expect(stdout).toContain(
    `FAILED  published index: the newest is of ${at}; since then: no space left on device\n`,
  );
  expect(stdout).toContain("hint: see that /shared/index can be written and has room");
  expect(code).toBe(1);
});

test("doctor says whose clock differs from the controller's", async () => {
  const clocks = { n2: 12 * 60_000, n3: -8_000, n4: 0 };
  const seen = Object.entries(clocks).map(([name, clockAheadMs]) => {
    return { ...sampleNode, name, clockAheadMs, lastSeen: at, up: true };
  });
  const status = async () => ({ ...(await sampleEngine().status()), nodes: seen });
  const { code, stdout } = await line.run(["doctor"], { api: { ...api, status } });
  expect(stdout).toContain("FAILED  clock of n2: 12m ahead of the controller's\n");
  expect(stdout).toContain("warn    clock of n3: 8s behind the controller's\n");
  expect(stdout).toContain("hint: let NTP set both clocks");
  expect(stdout).toContain("ok      clock of n4: agrees with the controller's\n");
  expect(code).toBe(1);
});

test("doctor warns when no living worker reaches a backend", async () => {
  const backends = await sampleEngine().backends();
  const names = backends.map((backend) => backend.name);
  const doctor = async (nodes: readonly object[]) => {
    const status = async () => ({ ...(await sampleEngine().status()), nodes });
    const given = { backends: () => Promise.resolve(backends), status } as typeof api;
    return (await line.run(["doctor"], { api: given })).stdout;
  };
  const node = { ...sampleNode, lastSeen: at, up: true, backends: names };
  expect(await doctor([node])).toContain(`ok      workers: ${node.name}\n`);
  const silent = await doctor([
    { ...node, roles: ["controller"] },
    { ...node, up: false },
  ]);
  expect(silent).toContain("warn    workers: none is up\n");
  expect(silent).toContain("hint: start one: thermocline worker\n");
  const blind = await doctor([{ ...node, backends: [] }]);
  expect(blind).toContain(
    `workers: none that is up has ${names.join(", ")} in its configuration\n`,
  );
});

test("nodes shows a clock that differs, and no column where none does", async () => {
  const nodes = [{ ...sampleNode, clockAheadMs: 12 * 60_000, lastSeen: at, up: true }];
  const off = await line.run(["nodes"], { api: { ...api, nodes: async () => nodes } });
  expect(off.stdout).toContain("12m ahead of the controller's");
  const on = nodes.map((node) => ({ ...node, clockAheadMs: 40 }));
  const fine = await line.run(["nodes"], { api: { ...api, nodes: async () => on } });
  expect(fine.stdout).not.toContain("clock");
});

test("doctor says when the queue does not answer, and goes on with the rest", async () => {
  await configure("redis://127.0.0.1:1");
  const { code, stdout } = await line.run(["doctor"], { api });
  expect(stdout).toMatch(
    /FAILED {2}queue: redis:\/\/127\.0\.0\.1:1.* does not answer: connect ECONNREFUSED/,
  );
  expect(stdout).toContain("ok      data directory:");
  expect(code).toBe(1);
});

test("doctor looks for the secrets and hosts of webhooks, and sends them nothing", async () => {
  let received = 0;
  const server = createServer((socket) => void socket.on("data", () => (received += 1)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await configureOutside(`webhooks:
  ops: {url: "http://127.0.0.1:${port}/hook", secret: "env:OPS_SECRET"}
  away: {url: "env:AWAY_URL", secret: "env:OPS_SECRET"}
  bare: {url: "http://127.0.0.1:${port}/hook", secret: "env:NONE"}
`);
  const env = { OPS_SECRET: "s3cret", AWAY_URL: "http://127.0.0.1:1/key-in-the-path" };
  const { code, stdout } = await line.run(["doctor"], { api, env });
  server.close();
  expect([code, received]).toEqual([1, 0]);
  expect(stdout).toContain("ok      webhook ops: its secret is there, its host can be reached\n");
  expect(stdout).toContain("FAILED  webhook away: its host cannot be reached (ECONNREFUSED)\n");
  expect(stdout).toContain("FAILED  webhook bare: the environment variable NONE is not set\n");
  expect(stdout).not.toMatch(/s3cret|key-in-the-path/);
});

test("doctor looks for the programs of commands as a worker does", async () => {
  await mkdir(join(line.cwd, "bin"));
  await writeFile(join(line.cwd, "bin", "found"), "#!/bin/sh\n", { mode: 0o755 });
  await writeFile(join(line.cwd, "plain.sh"), "#!/bin/sh\n", { mode: 0o644 });
  await configureOutside(`commands:
  found: {run: [found]}
  without-path: {run: [found], environment: []}
  plain: {run: [./plain.sh]}
  gone: {run: [./gone.sh]}
  folder: {run: [./bin]}
`);
  const { stdout } = await line.run(["doctor"], { api, env: { PATH: join(line.cwd, "bin") } });
  expect(stdout).toContain(`ok      command found: ${join(line.cwd, "bin", "found")}\n`);
  expect(stdout).toContain(
    "FAILED  command without-path: found is in no folder of the PATH it gets\n",
  );
  expect(stdout).toContain(
    `FAILED  command plain: ${join(line.cwd, "plain.sh")} is not executable\n        hint: make it`,
  );
  for (const [name, file] of [
    ["gone", "gone.sh"],
    ["folder", "bin"],
  ]) {
    const place = join(line.cwd, file ?? "");
    expect(stdout).toContain(`FAILED  command ${name}: ${place} is not there\n`);
  }
});

test("doctor looks for the folders of exports", async () => {
  await mkdir(join(line.cwd, "handover"));
  await configureOutside("exports:\n  there: {path: handover}\n  gone: {path: elsewhere}\n");
  const { stdout } = await line.run(["doctor"], { api });
  expect(stdout).toContain(`ok      export there: ${join(line.cwd, "handover")}\n`);
  const gone = join(line.cwd, "elsewhere");
  expect(stdout).toContain(`FAILED  export gone: ${gone} is no folder on this machine\n`);
});

async function configureOutside(text: string): Promise<void> {
  const head = "apiVersion: thermocline/v1\nqueue: {url: 'redis://127.0.0.1:1'}\nbackends: []\n";
  await writeFile(join(line.cwd, "thermocline.yaml"), head + text);
}

async function configure(url: string): Promise<void> {
  const text = `apiVersion: thermocline/v1\nqueue: {url: "${url}"}\nbackends: []\n`;
  await writeFile(join(line.cwd, "thermocline.yaml"), text);
}
