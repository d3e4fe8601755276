import { DelayedError, type Job } from "bullmq";
import { expect, test } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import commit from "#jobs/handlers/commit.ts";
import { defaultStepSettings } from "#jobs/step-context.ts";
import { runStepJob, type StepRunner } from "#jobs/step-job-runner.ts";
import { pack, type StepJobData, type StepResult, unpack } from "#jobs/step-job.ts";
import type { Evidence } from "#model/copy.ts";
import { noMeasurements } from "#model/metric.ts";
import { policiesUnknown } from "#model/policy-word.ts";
import type { CommitResult, CopyOutcome, StepData } from "#model/run.ts";
import { noTracing } from "#model/tracing.ts";
import { makePlan, stepOf } from "../index/make-plan.ts";
import { copyOn, objectOf, openIndex, start } from "../index/open-index.ts";
import { context, copied, evidenceOf, ledgerLines, masks, onlyBatch } from "../index/run-steps.ts";

const at = (minutes: number) => new Date(start.getTime() + minutes * 60_000);

test("a commit that waits tells once what its copy step found: what was mended since stays good", async () => {
  const { index, step, outcomes } = await demotionWithCorruptSource();
  const commits = new WaitingCommit(index, step, outcomes);
  await expect(commits.tryAt(2)).rejects.toThrow(DelayedError);
  expect(await masks(index)).toMatchObject([{ present: 6, verified: 6 }]);
  expect(await drifts(index)).toEqual(["drift corrupt"]);

  await index.recordEvidence([seen("hot", "present", 30)], at(30));
  for (const minutes of [31, 32]) {
    await expect(commits.tryAt(minutes)).rejects.toThrow(DelayedError);
    expect(await masks(index)).toMatchObject([{ present: 7, verified: 7 }]);
  }
  expect(await drifts(index)).toEqual(["drift corrupt"]);

  commits.policiesKnown = true;
  const { permits } = await commits.tryAt(33);
  expect(permits).toMatchObject([{ backend: "hot" }]);
  expect(await drifts(index)).toEqual(["drift corrupt"]);
});

test("another controller tells it again: its index may be an older one", async () => {
  const { index, step, outcomes } = await demotionWithCorruptSource();
  const commits = new WaitingCommit(index, step, outcomes);
  await expect(commits.tryAt(2)).rejects.toThrow(DelayedError);
  await index.recordEvidence([seen("hot", "present", 30)], at(30));
  commits.epoch = 2;
  await expect(commits.tryAt(31)).rejects.toThrow(DelayedError);
  expect(await masks(index)).toMatchObject([{ present: 6, verified: 6 }]);
});

/** An object goes from hot to cold; the copy step finds hot corrupt and takes it from warm. */
async function demotionWithCorruptSource() {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot"), copyOn("warm")])], start);
  const plan = await makePlan(index, folder, [
    { verb: "demote", object: 0, source: 0, target: 2, victim: 0 },
  ]);
  const run = await index.beginRun(plan, start);
  const step = stepOf(await onlyBatch(index, run.id, "cold"));
  const made = copied(0, 0, "cold", seen("cold", "present", 1));
  const outcomes: readonly CopyOutcome[] = [{ ...made, findings: [seen("hot", "corrupt", 1)] }];
  return { index, step, outcomes };
}

function seen(backend: string, finding: Evidence["finding"], minutes: number): Evidence {
  return { ...evidenceOf(0, backend, finding), checkedAt: at(minutes).toISOString() };
}

async function drifts(index: ObjectIndex): Promise<readonly unknown[]> {
  return (await ledgerLines(index)).filter((line) => String(line).startsWith("drift"));
}

/** The commit after a copy step, tried as the queue tries it, while nobody knows the policies. */
class WaitingCommit {
  epoch = 1;
  policiesKnown = false;
  readonly #index: ObjectIndex;
  readonly #outcomes: readonly CopyOutcome[];
  #data: string;

  constructor(index: ObjectIndex, step: StepData, outcomes: readonly CopyOutcome[]) {
    this.#index = index;
    this.#outcomes = outcomes;
    this.#data = JSON.stringify({ ...step, step: "copies" });
  }

  async tryAt(minutes: number): Promise<CommitResult> {
    const before: StepResult = { packed: await pack(this.#outcomes) };
    // The part of a BullMQ job that a commit uses; its data is kept as the queue keeps it.
    const job = {
      id: "a-commit",
      data: JSON.parse(this.#data) as StepJobData,
      progress: 0,
      getChildrenValues: async () => Promise.resolve({ copy: before }),
      updateData: async (data: StepJobData) => {
        this.#data = JSON.stringify(data);
        job.data = data;
        return Promise.resolve();
      },
      updateProgress: async () => Promise.resolve(),
      moveToDelayed: async () => Promise.resolve(),
    };
    const { packed } = await runStepJob(
      job as unknown as Job<StepJobData>,
      "token",
      this.#runner(at(minutes)),
    );
    return await unpack<CommitResult>(packed);
  }

  #runner(now: Date): StepRunner {
    const commitContext = () =>
      context({
        now,
        epoch: this.epoch,
        askPolicies: async () => {
          if (!this.policiesKnown) throw policiesUnknown("p.yaml:1:1: not a policy");
          return Promise.resolve(new Map());
        },
      });
    return {
      handlers: new Map([["commit", commit]]),
      drivers: new Map(),
      settings: defaultStepSettings,
      outside: undefined,
      measurements: noMeasurements,
      store: {
        kind: "redis",
        time: async () => Promise.resolve(now.getTime()),
        tracing: noTracing,
      },
      controls: undefined,
      commit: { index: this.#index, context: commitContext },
      shutdown: new AbortController().signal,
      actions: async () => Promise.resolve([]),
      now: () => now,
      permitNow: () => now,
    };
  }
}
