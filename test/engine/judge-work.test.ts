import { expect, test } from "vitest";
import { judgeWork } from "#engine/why/judge-work.ts";
import type { Standing } from "#engine/why/standing.ts";
import type { OpenWork } from "#model/why.ts";
import { sampleNode } from "../api/sample-values.ts";

const work = {
  runId: "run-1",
  policy: "cool",
  verb: "demote",
  source: "hot",
  target: "cold",
  victim: "hot",
  lane: "cold",
} as const;
const group: OpenWork = {
  ...work,
  pending: 4,
  blocked: 0,
  queued: 0,
  unsettled: [],
  settledAt: null,
  actions: 400,
  bytes: 4_000,
  cancelReason: null,
};
const worker = {
  ...sampleNode,
  name: "w1",
  up: true,
  lastSeen: "2026-01-01T00:00:00.000Z",
  startedAt: "2026-01-01T00:00:00.000Z",
  roles: ["worker"],
  backends: ["hot", "cold"],
} as const;
const idle = { waiting: 0, active: [], delayed: [] };
const standing: Standing = {
  pausedRuns: new Set(),
  pauses: [],
  held: [],
  nodes: [worker],
  lanes: new Map([
    ["hot", idle],
    ["cold", idle],
  ]),
  commits: [],
  silent: new Map(),
  dispatches: true,
  judge: () => undefined,
};
const node = { ...work, node: undefined };

function reasons(given: Partial<OpenWork>, known: Partial<Standing>) {
  const answers = judgeWork({ ...group, ...given }, { ...standing, ...known });
  return answers.map(({ wait, batches, actions }) => [wait.reason, batches, actions]);
}

test("the queue store that does not answer is an outage, with what it said", () => {
  const lanes = new Map([["cold", "the queue at redis does not answer"]]);
  const [answer] = judgeWork(group, { ...standing, lanes });
  expect(answer?.wait).toEqual({
    reason: "outage",
    message: "the queue at redis does not answer",
    remedy: "thermocline doctor",
  });
});

test("what the dispatcher noted of a lane is the answer: its rate, its bandwidth", () => {
  for (const reason of ["rate", "bandwidth", "concurrency"] as const) {
    const wait = { reason, message: "the lane has had its share" };
    const since = "2026-01-01T00:00:00.000Z";
    const held = [{ work: node, wait, since, batches: 4 }];
    expect(judgeWork(group, { ...standing, held })).toMatchObject([{ wait, since, actions: 400 }]);
  }
});

test("each batch is counted once: held, waiting for others, with a worker, or of unknown outcome", () => {
  const step = {
    runId: "run-1",
    batch: 0,
    step: "copy",
    lane: "cold",
    node: "w1",
    since: undefined,
    lost: false,
    done: 0,
    total: 100,
    bytes: 0,
  };
  const data = { ...work, planCid: "p", batch: 0, attempt: 0, from: 0, to: 100, segmentCid: "s" };
  const lanes = new Map([
    ["hot", idle],
    ["cold", { ...idle, active: [{ data, step, remark: undefined }] }],
  ]);
  const given = { pending: 2, blocked: 1, queued: 3, unsettled: [7], actions: 500 };
  const answers = judgeWork({ ...group, ...given, settledAt }, { ...standing, lanes });
  expect(answers.map(({ wait, batches }) => [wait.reason, batches])).toEqual([
    ["dependency", 1],
    ["concurrency", 2],
    ["dependency", 1],
  ]);
  expect(answers.at(-1)?.wait).toMatchObject({ until: settledAt });
  expect(answers.at(-1)?.wait.message).toContain("a removal from hot broke off");
  expect(reasons({ pending: 0, queued: 1 }, { lanes })).toEqual([]);
});

const removing = {
  data: { ...work, planCid: "p", batch: 7, attempt: 1, from: 0, to: 100, segmentCid: "s" },
  step: {
    runId: "run-1",
    batch: 7,
    step: "remove",
    lane: "hot",
    node: "w1",
    since: "2026-01-01T00:30:00.000Z",
    lost: false,
    done: 40,
    total: 100,
    bytes: 0,
  },
  remark: undefined,
};
const atWork = new Map([
  ["hot", { ...idle, active: [removing] }],
  ["cold", idle],
]);
const settledAt = "2026-01-01T01:00:00.000Z";

test("a removal that a worker tries again is under way, whatever its first try left open", () => {
  const given = { pending: 0, queued: 1, unsettled: [7], settledAt, actions: 100 };
  expect(reasons(given, { lanes: atWork })).toEqual([]);
  // Whatever is known of its node, it is who the queue says it is that has the job: one that did
  // not report yet, is silent here, bears the name of another, or whose clock was set back.
  for (const nodes of [
    [{ ...worker, name: "w2" }],
    [{ ...worker, up: false }],
    [{ ...worker, startedAt: "2026-01-01T00:31:00.000Z" }],
  ]) {
    expect(reasons(given, { lanes: atWork, nodes: [...nodes, { ...worker, name: "w3" }] })).toEqual(
      [],
    );
  }
  // Another batch of the same work is with nobody; it is not counted twice either.
  const both = { ...given, queued: 3, unsettled: [7, 8], actions: 300 };
  const answers = judgeWork({ ...group, ...both }, { ...standing, lanes: atWork });
  expect(answers.map(({ wait, batches }) => [wait.reason, batches])).toEqual([
    ["concurrency", 1],
    ["dependency", 1],
  ]);
  expect(answers[1]?.wait.message).toContain("in one batch a removal from hot broke off");
});

const letGo = { ...removing, step: { ...removing.step, lost: true } };
const abandoned = new Map([
  ["hot", { ...idle, active: [letGo] }],
  ["cold", idle],
]);

test("a removal whose worker is gone is told as that, and what happens next", () => {
  const given = { ...group, pending: 0, queued: 1, unsettled: [7], settledAt, actions: 100 };
  const silent = { ...worker, up: false };
  const told = (nodes: Standing["nodes"]) =>
    judgeWork(given, { ...standing, lanes: abandoned, nodes }).map(({ wait }) => wait);
  const may =
    "removals from hot may have happened, and the backend is asked before anything is assumed";
  expect(told([silent])).toEqual([
    {
      reason: "role",
      message:
        "node w1, which took up step remove, is silent since 2026-01-01T00:00:00.000Z: " +
        `no living worker reaches the backend hot; ${may}`,
      remedy: "start a worker that can open it: thermocline worker",
    },
  ]);
  const next = "another worker takes it up within seconds";
  expect(told([silent, { ...worker, name: "w2" }])).toEqual([
    {
      reason: "role",
      message:
        "node w1, which took up step remove, is silent since 2026-01-01T00:00:00.000Z: " +
        `${next}; ${may}`,
    },
  ]);
  expect(told([worker])).toEqual([
    {
      reason: "role",
      message:
        "node w1, which took up step remove, has let go of it: it was started again, or did not " +
        `reach the queue: ${next}; ${may}`,
    },
  ]);
  expect(told([{ ...worker, name: "w2" }])).toEqual([
    {
      reason: "role",
      message:
        "node w1, which took up step remove, is gone: it has not reported since this controller " +
        `was started: ${next}; ${may}`,
    },
  ]);
});

test("what a dead worker left does not go on within seconds where something holds it", () => {
  const given = { ...group, pending: 0, queued: 1, actions: 100 };
  const paused = { reason: "paused", message: "everything is paused", remedy: "resume" } as const;
  const nodes = [
    { ...worker, up: false },
    { ...worker, name: "w2" },
  ];
  const known = { ...standing, lanes: abandoned, nodes, judge: () => paused };
  const [answer, ...more] = judgeWork(given, known);
  expect(answer?.wait).toMatchObject({ reason: "paused", remedy: "resume" });
  expect(answer?.wait.message).toMatch(/^node w1, .* is silent since .*: everything is paused; /);
  expect(more).toEqual([]);
});

test("what a dead worker had does not count as work of the lane", () => {
  const known = { ...standing, lanes: new Map([["cold", { ...idle, active: [letGo] }]]) };
  const [answer] = judgeWork({ ...group, pending: 1 }, known);
  expect(answer?.wait.message).toBe("the lane cold is free: a worker takes it within seconds");
});

test("a copy whose worker is gone is told without a word of removals", () => {
  const copying = { ...letGo, step: { ...letGo.step, step: "copy", lane: "cold" } };
  const lanes = new Map([["cold", { ...idle, active: [copying] }]]);
  const nodes = [
    { ...worker, up: false },
    { ...worker, name: "w2" },
  ];
  const given = { ...group, pending: 0, queued: 1 };
  const [answer, ...more] = judgeWork(given, { ...standing, lanes, nodes });
  expect(answer?.wait).toEqual({
    reason: "role",
    message:
      "node w1, which took up step copy, is silent since 2026-01-01T00:00:00.000Z: " +
      "another worker takes it up within seconds",
  });
  expect(more).toEqual([]);
});

test("jobs that stepped aside say why themselves", () => {
  const step = { runId: "run-1", batch: 0, step: "copy", lane: "cold", node: "w1" } as const;
  const data = { ...work, planCid: "p", batch: 0, attempt: 0, from: 0, to: 1, segmentCid: "s" };
  const far = { ...step, since: undefined, lost: false, done: 0, total: 1, bytes: 0 };
  const delayed = [{ data, step: far, remark: "backend cold is out: timeout" }];
  const lanes = new Map([["cold", { ...idle, delayed }]]);
  const [answer] = judgeWork({ ...group, pending: 0, queued: 1 }, { ...standing, lanes });
  expect(answer?.wait.reason).toBe("outage");
  expect(answer?.wait.message).toContain("backend cold is out: timeout");
});

test("no worker, a silent backend, a cancel and a missing controller are reasons", () => {
  expect(reasons({}, { nodes: [] })).toEqual([["role", 4, 400]]);
  expect(reasons({}, { nodes: [{ ...worker, backends: ["hot"] }] })).toEqual([["role", 4, 400]]);
  expect(reasons({}, { silent: new Map([["cold", "refused"]]) })).toEqual([["outage", 4, 400]]);
  expect(reasons({ cancelReason: "by ada" }, {})).toEqual([["dependency", 4, 400]]);
  expect(reasons({}, { dispatches: false })).toEqual([["role", 4, 400]]);
});

test("a source that does not answer holds up only what no other backend has", () => {
  const copy: OpenWork = { ...group, verb: "replicate", victim: null };
  const known = { ...standing, silent: new Map([["hot", "refused"]]) };
  expect(judgeWork(copy, known)[0]?.wait.message).toBe(
    "hot does not answer: refused; what another backend has is copied from there",
  );
  expect(judgeWork(group, known)[0]?.wait.message).toBe("hot does not answer: refused");
});

const judge: Standing["judge"] = ({ node: on }) =>
  on === "w1" ? { reason: "paused", message: "node w1 is paused" } : undefined;

test("work that rules let through on one node is not held by the pause of another", () => {
  expect(reasons({}, { judge })).toEqual([["paused", 4, 400]]);
  expect(reasons({}, { judge, nodes: [worker, { ...worker, name: "w2" }] })).toEqual([
    ["concurrency", 4, 400],
  ]);
});
