import type { Job } from "bullmq";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { JobLock } from "#jobs/job-lock.ts";
import type { StepJobData } from "#jobs/step-job.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

const startMs = Date.parse("2026-03-01T12:00:00Z");

/** A lock whose queue answers with these, each so many milliseconds after it was asked. */
function lockOf(answers: readonly (readonly [held: 0 | 1, afterMs: number])[]) {
  let asked = 0;
  let aheadMs = 0;
  const job: Pick<Job<StepJobData>, "id" | "extendLock"> = {
    id: "a-job",
    extendLock: async () => {
      const [held, afterMs] = answers[asked] ?? [0, 0];
      asked += 1;
      vi.advanceTimersByTime(afterMs);
      return Promise.resolve(held);
    },
  };
  const time = async () => startMs + performance.now() + aheadMs;
  return {
    lock: new JobLock(job as Job<StepJobData>, "token", { kind: "redis", time }),
    asked: () => asked,
    /** All clocks of this machine stand still meanwhile. */
    standStill: (ms: number) => {
      aheadMs += ms;
    },
  };
}

const held = Array.from({ length: 9 }, () => [1, 100] as const);

test("each confirmation asks the queue, and gives its time", async () => {
  const { lock, asked, standStill } = lockOf(held);
  expect(await lock.confirm()).toBe(startMs + performance.now());
  standStill(4_000);
  expect(await lock.confirm()).toBe(startMs + performance.now() + 4_000);
  expect(asked()).toBe(2);
});

test("a job that nobody took is lost all the same to a machine that stood still", async () => {
  const { lock, asked, standStill } = lockOf(held);
  using _kept = await lock.keep();
  standStill(6_001);
  const refusal = { code: "UNAVAILABLE", retryable: false };
  await expect(lock.confirm()).rejects.toMatchObject(refusal);
  expect(lock.lost).toBe(true);
  const before = asked();
  await expect(lock.confirm()).rejects.toMatchObject(refusal);
  expect(asked()).toBe(before);
});

test("while it is kept, a worker that was heard all the time may take as long as it likes", async () => {
  vi.useFakeTimers({ toFake: ["performance", "setInterval", "clearInterval"] });
  const { lock } = lockOf(Array.from({ length: 99 }, () => [1, 0] as const));
  const kept = await lock.keep();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await lock.confirm()).toBe(startMs + performance.now());
  kept[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});

test("who hears from the queue too late while it waits for something else hears it at the end", async () => {
  vi.useFakeTimers({ toFake: ["performance", "setInterval", "clearInterval"] });
  const { lock, standStill } = lockOf(held);
  using _kept = await lock.keep();
  standStill(60_000);
  await vi.advanceTimersByTimeAsync(4_000);
  await expect(lock.confirm()).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

test("an answer that is read too late is no answer: the job may have gone meanwhile", async () => {
  const { lock, asked } = lockOf([
    [1, 54_000],
    [0, 10],
  ]);
  await expect(lock.confirm()).rejects.toMatchObject({ code: "CONFLICT" });
  expect(asked()).toBe(2);
  expect(lock.lost).toBe(true);
});

test("a queue that always answers too late confirms nothing", async () => {
  const { lock, asked } = lockOf(Array.from({ length: 9 }, () => [1, 2_000] as const));
  await expect(lock.confirm()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(asked()).toBe(3);
  expect(lock.lost).toBe(false);
});

test("where a lock that ran out is renewed the time is asked after it: a machine held before it knows", async () => {
  const order: string[] = [];
  let queueMs = startMs;
  let stillMs = 0;
  const job: Pick<Job<StepJobData>, "id" | "extendLock"> = {
    id: "a-job",
    extendLock: async () => {
      order.push("asked");
      await Promise.resolve();
      // All clocks of this machine stand still until the queue renews a lock that ran out.
      queueMs += stillMs;
      order.push("answered");
      return 1;
    },
  };
  const lock = new JobLock(job as Job<StepJobData>, "token", {
    kind: "postgresql",
    time: async () => {
      order.push("time");
      return Promise.resolve(queueMs);
    },
  });
  expect(await lock.confirm()).toBe(startMs);
  expect(order).toEqual(["asked", "answered", "time"]);
  stillMs = 6_000;
  expect(await lock.confirm()).toBe(startMs + 6_000);
  stillMs = 6_001;
  const refusal = { code: "UNAVAILABLE", retryable: false };
  await expect(lock.confirm()).rejects.toMatchObject(refusal);
  expect(lock.lost).toBe(true);
});

test("a queue that is out is asked once while it is kept, and again once it answers", async () => {
  vi.useFakeTimers({ toFake: ["performance", "setInterval", "clearInterval"] });
  let isOut = false;
  const open: PromiseWithResolvers<number>[] = [];
  const job: Pick<Job<StepJobData>, "id" | "extendLock"> = {
    id: "a-job",
    extendLock: async () => {
      const answer = Promise.withResolvers<number>();
      open.push(answer);
      if (!isOut) answer.resolve(1);
      return await answer.promise;
    },
  };
  let queueMs = startMs;
  const lock = new JobLock(job as Job<StepJobData>, "token", {
    kind: "postgresql",
    time: async () => Promise.resolve(queueMs),
  });
  using _kept = await lock.keep();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(open).toHaveLength(3);
  isOut = true;
  await vi.advanceTimersByTimeAsync(60 * 60_000);
  expect(open).toHaveLength(4);
  isOut = false;
  open.at(-1)?.reject(new Error("connection lost"));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(open).toHaveLength(5);
  expect(lock.lost).toBe(false);
  // Heard again, but only after the job could have been given away.
  isOut = true;
  await vi.advanceTimersByTimeAsync(2_000);
  queueMs += 60 * 60_000;
  open.at(-1)?.resolve(1);
  await vi.advanceTimersByTimeAsync(0);
  expect(open).toHaveLength(6);
  expect(lock.lost).toBe(true);
});
