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

/** A lock whose queue answers with these, each so many milliseconds after it was asked. */
function lockOf(answers: readonly (readonly [held: 0 | 1, afterMs: number])[]) {
  let asked = 0;
  const job: Pick<Job<StepJobData>, "id" | "extendLock"> = {
    id: "a-job",
    extendLock: async () => {
      const [held, afterMs] = answers[asked] ?? [0, 0];
      asked += 1;
      vi.advanceTimersByTime(afterMs);
      return Promise.resolve(held);
    },
  };
  return { lock: new JobLock(job as Job<StepJobData>, "token"), asked: () => asked };
}

test("an answer counts for two seconds from its question", async () => {
  const { lock, asked } = lockOf([
    [1, 500],
    [1, 0],
  ]);
  await lock.confirm();
  vi.advanceTimersByTime(1_499);
  await lock.confirm();
  expect(asked()).toBe(1);
  vi.advanceTimersByTime(1);
  await lock.confirm();
  expect(asked()).toBe(2);
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
