import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

/** A policy whose windows deny every day of a calendar. */
const policy = (denied: string): string => `apiVersion: thermocline/v1
kind: Policy
metadata: {name: keep-two}
windows: {deny: [calendar: ${denied}]}
rules:
  - {name: two, where: true, ensure: {copies: 2}}
`;
const calendar = (name: string, day: string): string =>
  `apiVersion: thermocline/v1\nkind: Calendar\nmetadata: {name: ${name}}\ndays: ["${day}"]\n`;

test("a run outside its windows waits and says until when; it begins by itself when they open", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: policy("today") });
  const { engine, folder } = running;
  const today = new Date().toISOString().slice(0, 10);
  const soon = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  // Two days, so that midnight during the test opens nothing.
  const days = `${today}..${soon}`;
  const file = join(folder, "policies", "today.thermocline-calendar.yaml");
  await writeFile(file, calendar("today", days));
  await running.importFiles(3);
  const run = await engine.apply({ override: ["objects"] });
  await until(async () => (await engine.status()).held.length > 0);
  const { held } = await engine.status();
  const about = held.map(({ work, wait }) => [work.runId, work.policy, wait.reason]);
  expect(new Set(about.map(String))).toEqual(new Set([String([run.id, "keep-two", "window"])]));
  expect(held[0]?.wait.message).toContain("calendar today denies it");
  expect(Date.parse(held[0]?.wait.until ?? "")).toBe(Date.parse(soon) + 86_400_000);
  expect((await engine.run(run.id)).progress.done).toBe(0);
  await writeFile(file, calendar("today", "2001-01-01"));
  await until(async () => (await engine.run(run.id)).endedAt !== undefined);
  expect(await engine.run(run.id)).toMatchObject({ state: "completed", progress: { done: 3 } });
  expect((await engine.status()).held).toEqual([]);
});
