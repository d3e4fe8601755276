import { expect, test } from "vitest";
import { actionObstacles, type ObstacleSource } from "#engine/action-obstacles.ts";
import type { Pause } from "#model/control.ts";
import type { Suspension } from "#model/failure.ts";
import type { AnnouncedAction } from "#policies/explain/announced-action.ts";
import { type FixtureIndex, openFixtureIndex } from "../policies/plan/fixture-index.ts";

const demote: AnnouncedAction = {
  policy: "cool",
  verb: "demote",
  source: "hot",
  target: "cold",
  victim: "hot",
  otherSources: ["warm"],
};
const since = "2026-05-01T00:00:00.000Z";

async function failing(index: FixtureIndex, object: number, step: string, backend: string) {
  await index.run(`INSERT INTO failing BY NAME SELECT ${object} AS object_id, '${step}' AS step,
    '${backend}' AS backend, 'FORBIDDEN' AS code, 2 AS failures, 'no key' AS message,
    'cool/r' AS rule, 'demote' AS verb, 'run-3' AS run_id,
    TIMESTAMP '2026-05-01' + INTERVAL (${object}) HOUR AS last_at`);
}

interface Known {
  readonly pauses?: readonly Pause[];
  readonly suspensions?: readonly Suspension[];
  readonly out?: ReadonlyMap<string, "out" | "full" | "trial">;
}

function sourceOf({ pauses = [], suspensions = [], out = new Map() }: Known): ObstacleSource {
  return {
    index: {
      controls: { pauses: () => Promise.resolve(pauses) },
      failures: { suspensions: () => Promise.resolve(suspensions) },
    },
    watch: {
      healthOf: (backend) => ({
        backend,
        state: out.get(backend) ?? "up",
        since,
        message: "no answer",
        nextProbe: undefined,
      }),
    },
  };
}

async function told(index: FixtureIndex, known: Known, actions = [demote]) {
  await using session = await index.session();
  return await actionObstacles(sourceOf(known), session, 1, actions);
}

test("nothing is said where nothing is in the way", async () => {
  const index = await openFixtureIndex();
  await failing(index, 2, "copy", "warm");
  const pauses = [
    { scope: "policy", name: "other", reason: "", actor: "ada", since, until: undefined },
  ] as const;
  const out = new Map([["cold", "trial"]] as const);
  expect(await told(index, { pauses, out })).toEqual([]);
});

test("what failed about the object, and about others on that backend, is a line each", async () => {
  const index = await openFixtureIndex();
  await failing(index, 1, "copy", "cold");
  await failing(index, 1, "removal", "hot");
  await failing(index, 5, "copy", "cold");
  await failing(index, 7, "copy", "cold");
  expect(await told(index, {})).toEqual([
    "failing: the copy to cold failed 2 times in a row, last at 2026-05-01T01:00:00.000Z in run-3, " +
      "with FORBIDDEN (no key); and 1 more of its actions; see thermocline failures --object 1",
    "failing for others: copies to cold of 2 other objects, last with FORBIDDEN (no key); " +
      "see thermocline failures --backend cold",
  ]);
  // Where nothing is announced, what failed about the object itself is said all the same.
  expect(await told(index, {}, [])).toEqual([expect.stringMatching(/^failing: /)]);
});

test("pauses, suspensions and backends that are out are said where the action needs them", async () => {
  const index = await openFixtureIndex();
  const order = { reason: "a fire drill", actor: "ada", since, until: undefined };
  const pauses = [
    { scope: "policy", name: "cool", ...order },
    { scope: "backend", name: "warm", ...order },
    { scope: "everything", name: "", ...order, reason: "" },
  ] as const;
  const suspensions = [
    { policy: "cool", since, failed: 5, outcomes: 9, message: "5 of 9 failed" },
    { policy: "other", since, failed: 5, outcomes: 9, message: "5 of 9 failed" },
  ];
  const out = new Map([
    ["cold", "out"],
    ["hot", "full"],
  ] as const);
  expect(await told(index, { pauses, suspensions, out })).toEqual([
    `suspended: policy cool since ${since}: 5 of 9 failed; see thermocline suspensions ls`,
    `paused: policy cool since ${since} (a fire drill); see thermocline pauses; to end it: ` +
      "thermocline resume --policy cool",
    `paused: everything since ${since}; see thermocline pauses; to end it: thermocline resume --all`,
    `out: backend cold since ${since} (no answer); see thermocline backends`,
  ]);
});

test("a source that is out is said with what is read instead, or that nothing can be", async () => {
  const index = await openFixtureIndex();
  const copy: AnnouncedAction = { ...demote, verb: "replicate", victim: null };
  const out = new Map([["hot", "out"]] as const);
  const instead = `out: backend hot since ${since} (no answer): it is read from warm instead; see thermocline backends`;
  expect(await told(index, { out }, [copy])).toEqual([instead]);
  // Two copies of one object from one source are one line.
  expect(await told(index, { out }, [copy, { ...copy, target: "archive" }])).toEqual([instead]);
  const either = { ...copy, otherSources: ["warm", "archive"] };
  const [line] = await told(index, { out }, [either]);
  expect(line).toContain("it is read from warm or archive instead");
  const waits =
    `out: backend hot since ${since} (no answer), and no other backend that answers has a copy: ` +
    "it waits for this one; see thermocline backends";
  expect(await told(index, { out }, [{ ...copy, otherSources: [] }])).toEqual([waits]);
  const both = new Map([...out, ["warm", "out"] as const]);
  expect(await told(index, { out: both }, [copy])).toEqual([waits]);
  // A full backend can be read.
  expect(await told(index, { out: new Map([["hot", "full"]]) }, [copy])).toEqual([]);
});

test("a source that is out is said once, and plainly where nothing could be read instead", async () => {
  const index = await openFixtureIndex();
  const hot = `out: backend hot since ${since} (no answer); see thermocline backends`;
  const out = new Map([["hot", "out"]] as const);
  // The removal of the copy there waits for it, and the copy with it.
  expect(await told(index, { out }, [demote])).toEqual([hot]);
  const check = { ...demote, verb: "verify", target: null, victim: null } as const;
  expect(await told(index, { out }, [check])).toEqual([hot]);
});
