import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { actAs } from "#model/acting.ts";
import type { ScheduleStatus } from "#model/schedule.ts";
import { sharedQueueServer } from "../../conformance/shared-queue-server.ts";
import { until } from "../../conformance/test-engine.ts";
import { type RunningEngine, runEngine } from "../running-engine.ts";

const server = sharedQueueServer();

const everyDay = "2001-01-01..2027-12-31";

/** Two copies of everything; with a window that `open` lets stay shut, runs do not end. */
function policy(schedule: string, more = ""): string {
  return `apiVersion: thermocline/v1
kind: Policy
metadata: {name: keep-two}
schedule: ${schedule}
${more}rules:
  - {name: two, where: true, ensure: {copies: 2, on: tier <= warm}}
`;
}
const shut = "windows: {deny: [calendar: shut]}\n";

async function setCalendar({ folder }: RunningEngine, days: string): Promise<void> {
  const text = `apiVersion: thermocline/v1\nkind: Calendar\nmetadata: {name: shut}\ndays: ["${days}"]\n`;
  await writeFile(join(folder, "policies", "shut.thermocline-calendar.yaml"), text);
}

async function status({ engine }: RunningEngine): Promise<ScheduleStatus | undefined> {
  return (await engine.schedules()).find((one) => one.policy === "keep-two");
}

/** A controller whose only policy is due every second and whose runs wait for their windows. */
async function stuckRun(overlap: string): Promise<RunningEngine> {
  const running = await runEngine({
    queueUrl: server.url,
    policy: policy(`{every: 1s, overlap: ${overlap}}`, shut),
  });
  await setCalendar(running, everyDay);
  await running.importFiles(1);
  await running.engine.start();
  await until(async () => (await running.engine.runs()).length > 0);
  return running;
}

test("a policy starts by its schedule, once and for what it wants, and says so", async () => {
  const others = `---
${policy("{every: 1h}").replace("keep-two", "hourly").replace("copies: 2, on: tier <= warm", "copies: 1, on: tier >= cold")}`;
  await using running = await runEngine({ queueUrl: server.url, policy: others });
  const { engine, errors, folder } = running;
  await running.importFiles(1);
  const at = `${new Date(Date.now() + 5_000).toISOString().slice(0, 19)}.000Z`;
  const once = `${policy(`{at: ${at.slice(0, 19)}}`)}${others}`;
  await writeFile(join(folder, "policies", "test.thermocline.yaml"), once);
  expect((await status(running))?.next).toBe(at);
  await engine.start();
  await until(async () => (await engine.runs()).some((run) => run.endedAt !== undefined));
  const [run, ...more] = await engine.runs();
  expect(more).toEqual([]);
  expect(run).toMatchObject({ origin: "schedule keep-two", state: "completed" });
  const policies = [];
  for await (const { rows } of engine.query(
    "SELECT DISTINCT detail->>'policy' AS policy, reason FROM ledger WHERE kind = 'schedule'",
  )) {
    policies.push(...rows);
  }
  expect(policies).toEqual([{ policy: "keep-two", reason: "started" }]);
  expect(await status(running)).toMatchObject({
    next: undefined,
    last: { outcome: "started", runId: run?.id, run: "completed" },
  });
  expect(await engine.runSchedule("keep-two")).toMatchObject({ outcome: "nothing-to-do" });
  expect(await engine.runSchedule("hourly")).toMatchObject({ outcome: "started" });
  expect(errors).toEqual([]);
});

describe("while its run is under way", () => {
  test("skip: later starts are skipped", async () => {
    await using running = await stuckRun("skip");
    await until(async () => (await status(running))?.last?.outcome === "skipped");
    expect(await running.engine.runs()).toHaveLength(1);
    expect((await status(running))?.last?.message).toContain("is under way");
  });

  test("queue-one: one start waits, and comes when the run has ended", async () => {
    await using running = await stuckRun("queue-one");
    await until(async () => (await status(running))?.waiting !== undefined);
    expect(await running.engine.runs()).toHaveLength(1);
    await setCalendar(running, "2001-01-01");
    await until(async () => (await running.engine.runs()).every((run) => run.state !== "running"));
    await until(async () => (await status(running))?.last?.outcome === "nothing-to-do");
    expect((await status(running))?.waiting).toBeUndefined();
  });

  test("cancel-previous: the run ends as cancelled, and the next one takes its place", async () => {
    await using running = await stuckRun("cancel-previous");
    await until(async () => (await running.engine.runs()).length > 1);
    const states = (await running.engine.runs()).map((run) => run.state);
    expect(states.at(-1)).toBe("cancelled");
    expect(states.filter((state) => state === "running").length).toBeLessThanOrEqual(1);
  });
});

test("a guard that refuses is recorded with its reason", async () => {
  await using running = await runEngine({
    queueUrl: server.url,
    policy: policy("{every: 1h}").replace(
      "ensure: {copies: 2, on: tier <= warm}",
      "demote: {from: tier = hot, to: tier = cold}",
    ),
  });
  await running.importFiles(20);
  const firing = await running.engine.runSchedule("keep-two");
  expect(firing).toMatchObject({ outcome: "refused" });
  expect(firing.message).toContain("20 of 20 objects lose or move a copy");
  expect((await status(running))?.last).toMatchObject({ outcome: "refused", run: undefined });
  expect(await running.engine.runs()).toEqual([]);
});

test("what is known of a schedule survives a restart and the loss of the queue store", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy: policy("{every: 1h}") });
  await running.engine.start();
  await actAs({ actor: "ana@desk", reason: undefined }, () =>
    running.engine.setScheduleEnabled("keep-two", false, "quarter close"),
  );
  const before = await status(running);
  await running.engine.close();
  const engine = await running.reopen();
  try {
    await engine.start();
    const after = (await engine.schedules()).find((one) => one.policy === "keep-two");
    expect(after).toEqual(before);
    expect(after?.disabled).toMatchObject({ reason: "quarter close", by: "ana@desk" });
    expect(after?.next).toBeUndefined();
  } finally {
    await engine.close();
  }
});
