import type { RemovalCase } from "#index/runs/judge-removal.ts";
import { Admission, type AdmissionRule } from "#jobs/admission.ts";
import type { DispatcherOptions } from "#jobs/dispatcher.ts";
import type { Driver } from "#model/driver.ts";
import type { IndexStore } from "#model/index-store.ts";
import type { WaitReason } from "#model/wait.ts";
import type { ModelIndex } from "./model-index.ts";
import type { ModelJob } from "./model-queue-store.ts";
import type { ThemeName } from "./themes.ts";

/** Places at which a defect can be put into the engine without touching its code. */
export interface Seams {
  /** What the judge of removals is told. */
  readonly judged?: (removal: RemovalCase) => RemovalCase;
  /** Calls to the index that do something else. */
  readonly index?: (index: ModelIndex) => Partial<IndexStore & Pick<ModelIndex, "read">>;
  /** Calls to a backend, by the controller or by a worker, that do something else. */
  readonly driver?: (driver: Driver, by: "controller" | "worker") => Partial<Driver>;
  /** What holds work back, as the controller asks it. */
  readonly admission?: (admission: Admission) => Admission;
  /** What the controller is started with instead. */
  readonly controller?: Partial<DispatcherOptions>;
  /** What the queue's server says of its time; by it, too, a worker knows that it stood still. */
  readonly queueTime?: () => number;
  /** Calls to a job that do something else. */
  readonly job?: (job: ModelJob) => Partial<ModelJob>;
}

const never = "9999-01-01T00:00:00.000Z";

/** Deliberate defects, each of a kind that the engine's rules exist to prevent. */
export const mutants: Readonly<Record<string, Seams>> = {
  "a permit never runs out for the worker that has it": {
    queueTime: () => 0,
    index: (index) => ({
      commitCopies: async (...values) => {
        const result = await index.commitCopies(...values);
        const permits = result.permits.map((permit) => ({ ...permit, expiresAt: never }));
        return { ...result, permits };
      },
    }),
  },
  "the copies that must remain are not asked for": {
    driver: (driver, by) => ({
      verify: async (object, confidence, options) => {
        const evidence = await driver.verify(object, confidence, options);
        return by === "worker" ? { ...evidence, finding: "present" } : evidence;
      },
    }),
  },
  "a copy that is not there is taken for one that is": {
    driver: () => ({
      verify: async (object, confidence) => ({
        backend: "",
        cid: object.cid,
        finding: "present",
        confidence,
        method: "assumed",
        checkedAt: new Date().toISOString(),
        bytesRead: 0,
      }),
    }),
  },
  "other permits are not looked at": { judged: (removal) => ({ ...removal, livePermits: [] }) },
  "copies reserved by other permits may go": {
    judged: (removal) => ({
      ...removal,
      livePermits: removal.livePermits.map((permit) => ({ ...permit, reserved: new Set() })),
    }),
  },
  "no verified copy has to remain": { judged: (removal) => ({ ...removal, minimumCopies: 0 }) },
  "holds are not looked at": {
    judged: ({ refused: _refused, ...removal }) => ({ ...removal, held: false }),
  },
  "what policies promise since the plan was made is not looked at": {
    judged: ({ promises: _promises, ...removal }) => removal,
  },
  "what policies keep since the plan was made is deleted": {
    judged: ({ refused: _refused, ...removal }) => removal,
  },
  "the values of a spread are not looked at": {
    judged: (removal) => ({
      ...removal,
      requirements: removal.requirements.map(({ spread: _spread, ...rest }) => rest),
    }),
  },
  "two names of one storage count as two": {
    judged: ({ sameStorage: _same, ...removal }) => removal,
  },
  "what a remove step did is recorded twice": {
    index: (index) => ({
      commitRemovals: async (step, outcomes, now) => {
        await index.commitRemovals(step, outcomes, now);
        for (const { run, sequence } of index.permits.all()) {
          const permit = index.permits.of(run, sequence);
          if (permit?.state === "done" && run.id === step.runId) permit.state = "open";
        }
        await index.commitRemovals(step, outcomes, now);
      },
    }),
  },
  "what a remove step did is forgotten": {
    index: () => ({ commitRemovals: async () => undefined, settlePermit: async () => undefined }),
  },
  "settling a permit assumes that the copy was removed": {
    driver: (driver, by) => ({
      stat: async (object, options) =>
        by === "controller" ? undefined : driver.stat(object, options),
    }),
  },
  "settling a permit assumes that the copy was kept": {
    driver: (driver, by) => ({
      stat: async (object, options) =>
        by === "controller"
          ? { locator: object.cid, form: "file", bytes: object.size }
          : driver.stat(object, options),
    }),
  },
  // That they are never settled shows nowhere: the repair of their batch ends them too, later.
  "permits are settled before they ran out": {
    index: (index) => ({
      expiredPermits: async () => index.expiredPermits(new Date("9999-01-01T00:00:00Z")),
    }),
  },
  "lost flows are not noticed": { index: () => ({ queuedBatches: async () => [] }) },
  "a worker does not ask whether its job is still its own": {
    queueTime: () => 0,
    job: (job) => ({
      extendLock: async (token, ms) => Math.max(1, await job.extendLock(token, ms)),
    }),
  },
  "a worker that takes a job over does not wait for the calls of the one before": {
    job: () => ({ attemptsStarted: 1 }),
  },
  "new copies are not read back": {
    driver: (driver) => ({
      verify: async (object, _confidence, options) => ({
        ...(await driver.verify(object, "listed", options)),
        confidence: "verified",
      }),
    }),
  },
  "cordons are not looked at": { admission: (admission) => blindTo("cordon", admission) },
  "standing pauses are not looked at": { admission: (admission) => blindTo("paused", admission) },
  "closed windows are not looked at": { admission: (admission) => blindTo("window", admission) },
  "a removal of two requests does not ask again before the second": {
    queueTime: () => 0,
    driver: (driver) => ({
      remove: async (object, permit, options) =>
        driver.remove(object, permit, { signal: options?.signal ?? new AbortController().signal }),
    }),
  },
  "any mark for deletion counts, however new it is": {
    judged: (removal) => ({ ...removal, tombstoned: true }),
  },
  "what is handed in anew does not lift the mark for deletion": {
    index: (index) => ({
      putObjects: async (objects, now) => {
        const before = await index.marked();
        const summary = await index.putObjects(objects, now);
        for (const { object, since } of before) index.mark(object, since);
        return summary;
      },
    }),
  },
  "reads do not lift the mark for deletion": { index: () => ({ read: async () => undefined }) },
  "content is called safe where a permit may delete it": {
    index: (index) => ({
      putObjects: async (objects, now) => {
        const summary = await index.putObjects(objects, now);
        return { ...summary, beingDeleted: [] };
      },
    }),
  },
  "a check that is told late makes good what was found damaged since": {
    index: (index) => ({
      recordEvidence: async (evidence) => {
        const checkedAt = new Date().toISOString();
        await index.recordEvidence(evidence.map((found) => ({ ...found, checkedAt })));
      },
    }),
  },
  "nobody notices that the controller's clock goes forward": {
    controller: { monotonicMs: () => Date.now() },
  },
  "what checks found is not recorded": { index: () => ({ recordEvidence: async () => undefined }) },
};

/** Lets through what waits for one reason. */
function blindTo(reason: WaitReason, admission: Admission): Admission {
  const judge: AdmissionRule["judge"] = (work, now) => {
    const wait = admission.judge(work, now);
    return wait?.reason === reason ? undefined : wait;
  };
  return new Admission([{ name: reason, refresh: (now) => admission.refresh(now), judge }]);
}

/** An object whose calls are replaced one by one. */
export function withDefects<Target extends object>(target: Target, defects: object): Target {
  return new Proxy(target, {
    get: (object, name) => {
      const value: unknown = Reflect.get(name in defects ? defects : object, name);
      return typeof value === "function" && !(name in defects) ? value.bind(object) : value;
    },
  });
}

/** In which schedules each defect has to be noticed: of a theme, from a seed, at most so many. */
export const hunts: Readonly<Record<string, readonly [ThemeName, from: number, most: number]>> = {
  "a permit never runs out for the worker that has it": ["expiry", 125, 60],
  "the copies that must remain are not asked for": ["damage", 1, 60],
  "a copy that is not there is taken for one that is": ["rivals", 1, 10],
  "other permits are not looked at": ["rivals", 1, 10],
  "copies reserved by other permits may go": ["rivals", 1, 60],
  "no verified copy has to remain": ["everything", 1, 60],
  "holds are not looked at": ["rivals", 1, 10],
  "what policies promise since the plan was made is not looked at": ["policies", 1, 60],
  "what policies keep since the plan was made is deleted": ["policies", 1, 60],
  "the values of a spread are not looked at": ["spreads", 3, 60],
  "two names of one storage count as two": ["spreads", 1, 60],
  "what a remove step did is recorded twice": ["rivals", 1, 10],
  "what a remove step did is forgotten": ["rivals", 1, 10],
  "settling a permit assumes that the copy was removed": ["takeover", 1, 60],
  "settling a permit assumes that the copy was kept": ["takeover", 1, 60],
  "permits are settled before they ran out": ["takeover", 1, 60],
  "lost flows are not noticed": ["everything", 1, 60],
  "a worker does not ask whether its job is still its own": ["takeover", 80, 60],
  "a worker that takes a job over does not wait for the calls of the one before": [
    "takeover",
    70,
    60,
  ],
  "new copies are not read back": ["damage", 15, 60],
  "what checks found is not recorded": ["rot", 25, 60],
  "cordons are not looked at": ["restraint", 1, 60],
  "standing pauses are not looked at": ["restraint", 1, 60],
  "closed windows are not looked at": ["restraint", 1, 60],
  "a removal of two requests does not ask again before the second": ["expiry", 40, 60],
  "any mark for deletion counts, however new it is": ["deletion", 1, 60],
  "what is handed in anew does not lift the mark for deletion": ["deletion", 1, 60],
  "reads do not lift the mark for deletion": ["deletion", 1, 60],
  "content is called safe where a permit may delete it": ["deletion", 1, 60],
  "a check that is told late makes good what was found damaged since": ["checks", 1, 60],
  "nobody notices that the controller's clock goes forward": ["clocks", 245, 10],
};
