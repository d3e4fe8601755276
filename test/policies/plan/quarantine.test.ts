import { expect, test } from "vitest";
import type { LeftOut } from "#model/control.ts";
import type { FailureStep } from "#model/failure.ts";
import type { ReadSession } from "#model/sql.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { explainObject } from "#policies/explain/explain-object.ts";
import { testBackend } from "../demo-backends.ts";
import { type FixtureIndex, type FixtureObject, openFixtureIndex } from "./fixture-index.ts";
import { briefly, planOf } from "./plan-of.ts";
import { ensure, on, ruleOf, setOf } from "./rule-of.ts";

const backends = [0, 1, 2].map((id) =>
  testBackend({ id, name: `b${id}`, tier: "hot", region: `eu-${id}` }),
);

async function quarantine(
  index: FixtureIndex,
  object: number,
  step: FailureStep,
  backend: number | null,
  rule = "p/r0",
) {
  const name = backend === null ? "NULL" : `'b${backend}'`;
  await index.run(`INSERT INTO failing BY NAME SELECT ${object} AS object_id, '${step}' AS step,
    ${backend} AS backend_id, ${name} AS backend, 'CORRUPT' AS code, 3 AS failures,
    'found corrupt' AS message, '${rule}' AS rule, 'notify' AS verb,
    TIMESTAMP '2026-05-01' AS quarantined_at`);
}

async function planned(index: FixtureIndex, set: CompiledPolicySet) {
  const { plan, actions } = await planOf(index, set);
  const blocked = plan.header.blocked.map(({ reason, objects }) => `${objects} ${reason}`);
  return [...briefly(actions), ...blocked];
}

async function stage(...objects: readonly FixtureObject[]): Promise<FixtureIndex> {
  const index = await openFixtureIndex();
  await index.put(objects);
  return index;
}

test("a copy that is quarantined on one backend is made on another, or blocked when there is none", async () => {
  const copies = { 0: "verified" } as const;
  const index = await stage({ id: 1, copies }, { id: 2, copies });
  await quarantine(index, 1, "copy", 1);
  const anywhere = setOf(backends, ruleOf("r0", ensure(on(0, 1, 2), 2)));
  expect((await planned(index, anywhere))[0]).toBe("replicate 1 0>2");
  const onlyThere = setOf(backends, ruleOf("r0", ensure(on(1), 1)));
  expect(await planned(index, onlyThere)).toEqual(["replicate 2 0>1", "1 quarantined"]);
});

test("a quarantined object is not demoted to where it fails, nor removed where that fails", async () => {
  const copies = { 0: "verified" } as const;
  const both = { 0: "verified", 1: "verified" } as const;
  const index = await stage({ id: 1, copies }, { id: 2, copies: both }, { id: 3, copies });
  await quarantine(index, 1, "copy", 1);
  await quarantine(index, 2, "removal", 0);
  const set = setOf(backends, ruleOf("r0", { kind: "demote", from: on(0), to: on(1) }));
  expect(await planned(index, set)).toEqual(["demote 3 0>1 -0", "2 quarantined"]);
});

test("surplus and deletion leave a copy alone whose removal is quarantined", async () => {
  const copies = { 0: "verified", 1: "verified" } as const;
  const index = await stage({ id: 1, copies, tombstoned: new Date("2026-05-01") });
  await quarantine(index, 1, "removal", 0);
  await quarantine(index, 1, "removal", 1);
  const surplus = setOf(
    backends,
    ruleOf("r0", ensure(on(0, 1), 1, { copies: { min: 1, max: 1 } })),
  );
  expect(await planned(index, surplus)).toEqual(["1 quarantined"]);
  const deletion = setOf(backends, ruleOf("r0", { kind: "delete", graceMs: 0 }));
  expect(await planned(index, deletion)).toEqual(["1 quarantined"]);
});

test("explain says since when, where, how often and why an object is quarantined", async () => {
  const index = await stage({ id: 1, copies: { 0: "verified" } });
  await quarantine(index, 1, "copy", 1);
  const set = setOf(backends, ruleOf("r0", ensure(on(1), 1)));
  await using session = await index.session();
  const { conclusion } = await explainObject(set, session, 1);
  expect(conclusion).toEqual([
    "blocked: test/r0, because it failed too often for the same cause",
    "quarantined since 2026-05-01T00:00:00.000Z: no copy is made on b1, as that failed 3 times in " +
      "a row with CORRUPT (found corrupt); once that is mended: " +
      "thermocline quarantine release <cid> --reason …",
  ]);
});

test("what a rule with run: is quarantined for is left out of this rule, not of others", async () => {
  const copies = { 0: "verified" } as const;
  const index = await stage({ id: 1, copies }, { id: 2, copies });
  const order = { action: "notify", webhook: "ops" } as const;
  const set = setOf(
    backends,
    ruleOf("r0", { kind: "run", order, on: 0n }),
    ruleOf("r1", { kind: "run", order, on: 0n }),
  );
  const [id = ""] = set.rules.map((rule) => rule.id);
  await quarantine(index, 1, "act", null, id);
  const { plan, actions } = await planOf(index, set);
  expect(actions.map(({ objectId, rule }) => [objectId, rule === id])).toEqual([
    [2, true],
    [1, false],
    [2, false],
  ]);
  expect(plan.header.blocked).toMatchObject([{ rule: id, reason: "quarantined", objects: 1 }]);
  await using session = await index.session();
  const { conclusion } = await explainObject(set, session, 1);
  expect(conclusion.at(-1)).toContain(`notify for ${id} is left out, as that failed 3 times`);
});

test("a check that is quarantined on one backend is still made on the others", async () => {
  const index = await stage({ id: 1, copies: { 0: "listed", 1: "listed" } });
  await index.run(`INSERT INTO copy (object_id, backend_id, state)
    VALUES (1, 0, 'present'), (1, 1, 'present')`);
  const order = { action: "verify" } as const;
  const set = setOf(backends, ruleOf("r0", { kind: "run", order, on: on(0, 1) }));
  const id = set.rules[0]?.id ?? "";
  await quarantine(index, 1, "act", 0, id);
  const some = await planOf(index, set);
  expect(some.actions.map(({ source }) => source)).toEqual([1]);
  expect(some.plan.header.blocked).toEqual([]);
  await quarantine(index, 1, "act", 1, id);
  const none = await planOf(index, set);
  expect(none.plan.header.blocked).toMatchObject([{ reason: "quarantined", objects: 1 }]);
});

test("a retry calls a copy quarantined for what keeps it from being made, not for another rule", async () => {
  const index = await stage({ id: 1 }, { id: 2 }, { id: 3 });
  await quarantine(index, 1, "act", null, "p/told");
  await quarantine(index, 2, "copy", 1);
  const set = setOf(backends, ruleOf("r0", ensure(on(1), 1)));
  const id = set.rules[0]?.id ?? "";
  await quarantine(index, 3, "act", null, id);
  const leftOut = async (object: number) => {
    const found: LeftOut[] = [];
    const wishes = async (session: ReadSession) => {
      const text = `CREATE OR REPLACE TEMP TABLE wished AS
        SELECT ${object} AS object_id, 'replicate' AS verb, '${id}' AS rule`;
      await session.run({ text, parameters: [] });
      return "wished";
    };
    const onLeftOut = (all: readonly LeftOut[]) => void found.push(...all);
    await planOf(index, set, { scope: { wishes, onLeftOut } });
    return found.map(({ reason }) => reason);
  };
  expect(await leftOut(1)).toEqual(["not-planned"]);
  expect(await leftOut(2)).toEqual(["quarantined"]);
  expect(await leftOut(3)).toEqual(["quarantined"]);
});
