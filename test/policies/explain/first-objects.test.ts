import { expect, test } from "vitest";
import { planCompetitors } from "#policies/explain/plan-competitors.ts";
import { decideActions } from "#policies/plan/build-plan.ts";
import { Planning } from "#policies/plan/planning.ts";
import { trusted } from "#policies/sql-fragment.ts";
import { readWrite, testBackend } from "../demo-backends.ts";
import { openFixtureIndex } from "../plan/fixture-index.ts";
import { on, ruleOf, setOf } from "../plan/rule-of.ts";

const backends = [0, 1].map((id) =>
  testBackend({ id, name: `backend-${id}`, capabilities: readWrite }),
);
const free = [{ backend: 0, bytes: 300 }];

test("where the first objects of a mark cannot go, later ones are looked at", async () => {
  const index = await openFixtureIndex();
  await index.put(
    Array.from({ length: 40 }, (_, id) => ({
      id,
      size: 100,
      copies: { 0: "verified", 1: "verified" } as const,
      held: id < 30,
    })),
  );
  const set = setOf(backends, ruleOf("spill", { kind: "evict", from: on(0), free }, "true"));
  const safety = { minimumCopies: 1, headRoomShare: 0.05 };
  await using session = await index.session();
  const acting = async (object: number) => {
    const alone = new Planning(set, session, safety);
    await decideActions(alone, { objects: [object] });
    const few = await planCompetitors(alone, object, { atLeast: 0 });
    const rows = await few.rows(trusted("SELECT DISTINCT object_id FROM plan_row ORDER BY ALL"));
    return rows.map((row) => Number(row["object_id"]));
  };
  // Thirty are held: the next three free what is needed, whichever object is asked about.
  expect(await acting(30)).toEqual([30, 31, 32]);
  expect(await acting(39)).toEqual([30, 31, 32]);
});
