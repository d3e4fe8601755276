import { expect, onTestFinished, test } from "vitest";
import { capacityRule } from "#jobs/admission/capacity.ts";
import { outageRule } from "#jobs/admission/outage.ts";
import { suspendedRule } from "#jobs/admission/suspended.ts";
import { BackendWatch } from "#jobs/backend-watch.ts";
import type { BackendStatus } from "#model/driver.ts";
import { EngineError, type ErrorCode } from "#model/engine-error.ts";
import type { Work } from "#model/wait.ts";

const fine: BackendStatus = {
  server: "test",
  writable: true,
  usedBytes: 100,
  freeBytes: 1_000,
  totalBytes: 1_100,
};

/** A watch over `hot` and `cold` on a clock that the test moves, and what `cold` answers. */
function stage() {
  let at = Date.parse("2026-01-01T00:00:00Z");
  let answer: BackendStatus | ErrorCode = fine;
  const asked: number[] = [];
  const states: string[] = [];
  const watch = new BackendWatch({
    backends: ["hot", "cold"],
    async status(backend) {
      if (backend === "hot") return fine;
      asked.push(at);
      if (typeof answer === "string") throw new EngineError(answer, "connection refused");
      return answer;
    },
    now: () => new Date(at),
    onChange: ({ backend, state }) => states.push(`${backend} ${state}`),
  });
  onTestFinished(() => watch.close());
  return {
    watch,
    asked,
    states,
    answers: (next: BackendStatus | ErrorCode) => {
      answer = next;
    },
    /** Time passes, with a look every half second. */
    async pass(this: void, ms: number) {
      for (let passed = 0; passed < ms; passed += 500) {
        at += 500;
        await watch.tick();
      }
    },
    report(this: void, code: ErrorCode, bytes?: number) {
      const room = bytes === undefined ? {} : { bytes };
      watch.report({ backend: "cold", node: "w", code, message: `${code}!`, ...room });
    },
  };
}

const work = (more: Partial<Work>): Work => ({
  runId: "run",
  policy: "cool",
  verb: "replicate",
  source: "hot",
  target: null,
  victim: null,
  lane: "cold",
  node: undefined,
  ...more,
});

function rulesOf(watch: BackendWatch) {
  const now = new Date();
  const outage = outageRule((backend) => watch.healthOf(backend));
  const capacity = capacityRule((backend) => watch.healthOf(backend));
  return (more: Partial<Work>) =>
    (outage.judge(work(more), now) ?? capacity.judge(work(more), now))?.reason;
}

test("what to do about a backend that is out is said where work waits for it", async () => {
  const watch = new BackendWatch({
    backends: ["cold"],
    status: () =>
      Promise.reject(new EngineError("UNAVAILABLE", "no such bucket", { hint: "create it" })),
    now: () => new Date("2026-01-01T00:00:00Z"),
  });
  onTestFinished(() => watch.close());
  const report = { backend: "cold", node: "w", code: "UNAVAILABLE" } as const;
  for (let tries = 0; tries < 10 && watch.out().size === 0; tries += 1) {
    watch.report({ ...report, message: "no such bucket" });
    await watch.tick();
  }
  // Other workers that meet it as well know no more.
  watch.report({ ...report, message: "no such bucket" });
  expect(watch.healthOf("cold")).toMatchObject({
    state: "out",
    message: "no such bucket: create it",
  });
});

test("one report that the backend itself denies holds nothing, one it confirms opens the circuit", async () => {
  const { watch, report, pass, answers, states } = stage();
  await pass(500);
  report("UNAVAILABLE");
  await pass(500);
  expect(watch.out()).toEqual(new Set());
  await pass(61_000);
  answers("UNAVAILABLE");
  report("UNAVAILABLE");
  await pass(500);
  expect([...watch.out()]).toEqual(["cold"]);
  expect(states).toEqual(["cold out"]);
  expect(watch.healthOf("cold")).toMatchObject({ state: "out", message: "connection refused" });
});

test("an outage nobody works against is found by asking now and then", async () => {
  const { watch, pass, answers } = stage();
  await pass(1_000);
  answers("TIMEOUT");
  await pass(61_000);
  expect([...watch.out()]).toEqual(["cold"]);
});

test("a backend that is out is asked with backoff, and comes back by itself", async () => {
  const { watch, report, pass, answers, states, asked } = stage();
  answers("UNAVAILABLE");
  report("UNAVAILABLE");
  report("UNAVAILABLE");
  asked.length = 0;
  await pass(10 * 60_000);
  const gaps = asked.slice(1).map((time, position) => time - (asked[position] ?? 0));
  expect(gaps.slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000]);
  expect(Math.max(...gaps)).toBe(60_000);
  answers(fine);
  await pass(60_000);
  expect(watch.out()).toEqual(new Set());
  expect(states).toEqual(["cold out", "cold up"]);
});

test("a full backend holds writes alone, until there is room for what was refused", async () => {
  const { watch, report, pass, answers } = stage();
  const held = rulesOf(watch);
  answers({ ...fine, freeBytes: 10 });
  report("NO_SPACE", 500);
  expect(held({ target: "cold" })).toBe("capacity");
  expect(held({ victim: "cold" })).toBeUndefined();
  expect(held({ target: "hot" })).toBeUndefined();
  await pass(60_000);
  answers({ ...fine, freeBytes: 400 });
  await pass(60_000);
  expect(held({ target: "cold" })).toBe("capacity");
  answers({ ...fine, freeBytes: 501 });
  await pass(60_000);
  expect(held({ target: "cold" })).toBeUndefined();
});

test("where nobody knows the room, writes are tried again, and a refusal holds them longer", async () => {
  const { watch, report, pass, answers, states } = stage();
  answers({ ...fine, usedBytes: undefined, freeBytes: undefined });
  report("NO_SPACE", 500);
  await pass(1_000);
  expect(watch.healthOf("cold")?.state).toBe("trial");
  report("NO_SPACE", 500);
  expect(watch.healthOf("cold")?.state).toBe("full");
  await pass(2_000);
  expect(watch.healthOf("cold")?.state).toBe("trial");
  await pass(10_000);
  expect(states).toEqual(["cold full", "cold trial", "cold full", "cold trial", "cold up"]);
});

test("an outage holds what writes there or removes from there; a service that slows us down is none", async () => {
  const { watch, report, pass, answers } = stage();
  const held = rulesOf(watch);
  report("RATE_LIMITED");
  report("RATE_LIMITED");
  expect(held({ target: "cold" })).toBeUndefined();
  answers("UNAUTHENTICATED");
  report("UNAUTHENTICATED");
  await pass(500);
  expect(held({ target: "cold" })).toBe("outage");
  expect(held({ victim: "cold" })).toBe("outage");
  expect(held({ source: "cold", target: "hot" })).toBeUndefined();
});

test("a backend that cannot be written to takes no writes and gives up nothing, and is still read", async () => {
  const { watch, pass, answers } = stage();
  const held = rulesOf(watch);
  answers({ ...fine, writable: false });
  await pass(500);
  expect(watch.healthOf("cold")?.state).toBe("read-only");
  expect(held({ target: "cold" })).toBe("outage");
  expect(held({ victim: "cold" })).toBe("outage");
  answers(fine);
  await pass(30_000);
  await pass(30_000);
  expect(watch.healthOf("cold")?.state).toBe("up");
});

test("a suspended policy's work waits with the numbers, other work does not", async () => {
  const suspension = {
    policy: "cool",
    since: "2026-01-01T00:00:00.000Z",
    failed: 30,
    outcomes: 50,
    message: "30 of its last 50 actions failed",
  };
  const rule = suspendedRule(async () => [suspension]);
  const now = new Date();
  expect(rule.judge(work({}), now)).toBeUndefined();
  await rule.refresh?.(now);
  expect(rule.judge(work({}), now)).toMatchObject({
    reason: "suspended",
    message: expect.stringContaining("30 of its last 50 actions failed"),
    remedy: "thermocline suspensions release cool --reason …",
  });
  expect(rule.judge(work({ policy: "other" }), now)).toBeUndefined();
});
