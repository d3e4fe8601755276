import { array, assert, asyncProperty, constant, integer, oneof, record } from "fast-check";
import { expect, test } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import { freeOfCharge, type PriceCard } from "#model/backend.ts";
import { type PlanBudget, periodStart } from "#model/budget.ts";
import { sharesOf } from "#model/cost-sql.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Plan } from "#model/plan.ts";
import type { CopyOutcome } from "#model/run.ts";
import { makePlan, stepOf, type TestAction } from "./make-plan.ts";
import { backendFacts, copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied, gone, onlyBatch } from "./run-steps.ts";

const day = 86_400_000;
const gib = 2 ** 30;

/** Each copy to warm costs a dollar; what goes from hot at once costs a month of it. */
const prices: Readonly<Record<string, Partial<PriceCard>>> = {
  hot: { perGibMonth: 0.5, minimumDurationMs: 30 * day, minimumBytes: gib },
  warm: { perWrite: 1 },
};

async function pricedIndex(objects: number) {
  const { index, folder } = await openIndex(["hot", "warm"]);
  await index.syncBackends(
    ["hot", "warm"].map((name) => {
      return { ...backendFacts(name), price: { ...freeOfCharge, ...prices[name] } };
    }),
  );
  const numbers = Array.from({ length: objects }, (_, number) => number);
  await index.putObjects(
    numbers.map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const plan = async (
    actions: readonly TestAction[],
    ...budgets: readonly PlanBudget[]
  ): Promise<Plan> => {
    const made = await makePlan(index, folder, actions);
    return { ...made, header: { ...made.header, budgets } };
  };
  return { index, plan };
}

const budget: PlanBudget = { of: "policy test", policy: "test", usd: 3, per: "month" };
const copy = (object: number): TestAction => {
  return { verb: "replicate", object, source: 0, target: 1 };
};
const move = (object: number): TestAction => {
  return { verb: "demote", object, source: 0, target: 1, victim: 0 };
};

/** What is spent: `reserved 2`, `2026-01-01 1.5`. */
async function spending(index: ObjectIndex): Promise<readonly string[]> {
  await using session = await index.session();
  const rows = await session.rows({
    text: `SELECT coalesce(day::VARCHAR, 'reserved') || ' ' || usd::VARCHAR AS line
           FROM spending WHERE shares > 0 ORDER BY ALL`,
    parameters: [],
  });
  return rows.map(({ line }) => String(line));
}

test("a copy is paid when it is made, the removal after it when that is done", async () => {
  const { index, plan } = await pricedIndex(2);
  const run = await index.beginRun(await plan([move(0), move(1)], budget), start);
  expect(await spending(index)).toEqual(["reserved 3.0"]);
  const step = stepOf(await onlyBatch(index, run.id, "warm"));
  const made = [copied(0, 0, "warm"), copied(1, 1, "warm")];
  const { permits } = await index.commitCopies(step, made, context());
  expect(await spending(index)).toEqual(["2026-01-01 2.0", "reserved 1.0"]);
  const again = await index.commitCopies(step, made, context());
  expect(again.permits).toEqual(permits);
  const failed = { outcome: "failed", code: "NOT_SUPPORTED", message: "cannot" } as const;
  await index.commitRemovals(
    step,
    [gone(0, permits[0]?.id ?? ""), { sequence: 1, ...failed }],
    start,
  );
  expect(await spending(index)).toEqual(["2026-01-01 2.5"]);
});

test("what fails or is cancelled gives back what was reserved for it", async () => {
  const { index, plan } = await pricedIndex(3);
  const run = await index.beginRun(await plan([copy(0), copy(1), copy(2)], budget), start);
  const step = stepOf(await onlyBatch(index, run.id, "warm"));
  const failed: CopyOutcome = { sequence: 1, outcome: "failed", code: "CORRUPT", message: "bad" };
  await index.commitCopies(step, [copied(0, 0, "warm"), failed, copied(2, 2, "warm")], context());
  expect(await spending(index)).toEqual(["2026-01-01 2.0"]);
  const other = await index.beginRun(await plan([copy(1)], budget), start);
  expect(await spending(index)).toEqual(["2026-01-01 2.0", "reserved 1.0"]);
  await index.setRunState(other.id, "cancelled", start);
  expect(await spending(index)).toEqual(["2026-01-01 2.0"]);
});

test("of two runs that begin at once for the last dollar one is refused, with the figures", async () => {
  const { index, plan } = await pricedIndex(4);
  const plans = [await plan([copy(0), copy(1)], budget), await plan([copy(2), copy(3)], budget)];
  const results = await Promise.allSettled(plans.map((one) => index.beginRun(one, start)));
  const refused = results.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(refused).toHaveLength(1);
  expect(refused[0]).toMatchObject({
    code: "STALE_PLAN",
    message:
      "the plan costs 2.00 USD, which the budget of 3.00 USD/month of policy test has no longer: " +
      "0.00 USD settled, 2.00 USD reserved",
  });
  expect(await spending(index)).toEqual(["reserved 2.0"]);
  expect(await index.runs()).toHaveLength(1);
});

const event = oneof(
  record({ do: constant("begin"), actions: integer({ min: 1, max: 3 }) }),
  record({
    do: constant("commit"),
    run: integer({ min: 0, max: 3 }),
    done: integer({ min: 0, max: 3 }),
  }),
  record({ do: constant("cancel"), run: integer({ min: 0, max: 3 }) }),
  record({ do: constant("sleep"), days: integer({ min: 1, max: 40 }) }),
);

test("whatever begins, ends, fails, is cancelled or lasts, no period costs more than its budget", async () => {
  const budgets: readonly PlanBudget[] = [budget, { of: "this plan", usd: 2, per: "day" }];
  await assert(
    asyncProperty(array(event, { maxLength: 12 }), async (events) => {
      const { index, plan } = await pricedIndex(events.length * 3 + 1);
      const paid: { readonly day: string; readonly usd: number }[] = [];
      const answers: { readonly fits: boolean; readonly begun: boolean }[] = [];
      let open: { readonly id: string; readonly objects: readonly number[] }[] = [];
      let now = start;
      let next = 0;
      for (const one of events) {
        if (one.do === "begin" && "actions" in one) {
          const objects = Array.from({ length: one.actions }, (_, at) => next + at);
          next += one.actions;
          const reserved = open.reduce((sum, { objects: some }) => sum + some.length, 0);
          const fits = budgets.every(({ usd, per }) => {
            const since = periodStart(per, now);
            const settled = paid.reduce((sum, one) => sum + (one.day >= since ? one.usd : 0), 0);
            return settled + reserved + objects.length <= usd;
          });
          const wanted = await plan(objects.map(copy), ...budgets);
          const id = await index.beginRun(wanted, now).then(
            (run) => run.id,
            (error: unknown) => EngineError.from(error).code,
          );
          answers.push({ fits, begun: id !== "STALE_PLAN" });
          if (fits) open.push({ id, objects });
        } else if ("days" in one) now = new Date(now.getTime() + one.days * day);
        else if ("run" in one && open.length > 0) {
          const chosen = open[one.run % open.length];
          if (chosen === undefined) continue;
          open = open.filter((other) => other !== chosen);
          if ("done" in one) {
            const done = Math.min(one.done, chosen.objects.length);
            const step = stepOf(await onlyBatch(index, chosen.id, "warm"));
            const outcomes = chosen.objects.map((object, at): CopyOutcome =>
              at < done
                ? copied(at, object, "warm")
                : { sequence: at, outcome: "failed", code: "CORRUPT", message: "bad" },
            );
            await index.commitCopies(step, outcomes, context({ now }));
            paid.push({ day: periodStart("day", now), usd: done });
          } else await index.setRunState(chosen.id, "cancelled", now);
          await index.finishRuns(now);
        }
        await sameAsModel(index, paid, open);
      }
      expect(answers.filter(({ fits, begun }) => fits !== begun)).toEqual([]);
    }),
    { numRuns: 6 },
  );
});

async function sameAsModel(
  index: ObjectIndex,
  paid: readonly { readonly day: string; readonly usd: number }[],
  open: readonly { readonly objects: readonly number[] }[],
): Promise<void> {
  await using session = await index.session();
  const rows = await session.rows({
    text: `SELECT coalesce(day::VARCHAR, 'reserved') AS day, sum(shares)::VARCHAR AS shares
           FROM spending GROUP BY ALL HAVING sum(shares) > 0`,
    parameters: [],
  });
  const expected = new Map<string, number>();
  for (const { day: on, usd } of paid) expected.set(on, (expected.get(on) ?? 0) + usd);
  expected.set(
    "reserved",
    open.reduce((sum, { objects }) => sum + objects.length, 0),
  );
  const figures = [...expected].filter(([, usd]) => usd > 0);
  expect(new Map(rows.map((row) => [String(row["day"]), String(row["shares"])]))).toEqual(
    new Map(figures.map(([on, usd]) => [on, String(sharesOf(usd))])),
  );
}
