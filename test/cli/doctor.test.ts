import { afterEach, beforeEach, expect, test } from "vitest";
import { redisMissing, startRedis } from "../services/redis.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandLine } from "./command-line.ts";

const why = redisMissing();
let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

const api = { backends: () => Promise.resolve([]) };

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

test("doctor says when the queue does not answer, and goes on with the rest", async () => {
  await configure("redis://127.0.0.1:1");
  const { code, stdout } = await line.run(["doctor"], { api });
  expect(stdout).toMatch(/FAILED {2}queue: redis:\/\/127\.0\.0\.1:1.* does not answer/);
  expect(stdout).toContain("ok      data directory:");
  expect(code).toBe(1);
});

async function configure(url: string): Promise<void> {
  const text = `apiVersion: thermocline/v1\nqueue: {url: "${url}"}\nbackends: []\n`;
  await writeFile(join(line.cwd, "thermocline.yaml"), text);
}
