import { afterEach, beforeEach, expect, test } from "vitest";
import { redisMissing, startRedis } from "../services/redis.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LeaderState } from "#model/leader-state.ts";
import { sampleEngine } from "../api/sample-engine.ts";
import { at, sampleLeader } from "../api/sample-values.ts";
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

test("doctor says when the queue does not answer, and goes on with the rest", async () => {
  await configure("redis://127.0.0.1:1");
  const { code, stdout } = await line.run(["doctor"], { api });
  expect(stdout).toMatch(
    /FAILED {2}queue: redis:\/\/127\.0\.0\.1:1.* does not answer: connect ECONNREFUSED/,
  );
  expect(stdout).toContain("ok      data directory:");
  expect(code).toBe(1);
});

async function configure(url: string): Promise<void> {
  const text = `apiVersion: thermocline/v1\nqueue: {url: "${url}"}\nbackends: []\n`;
  await writeFile(join(line.cwd, "thermocline.yaml"), text);
}
