import type { PlanHeader } from "#model/plan.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { rowsAt } from "#jobs/plan-file.ts";
import type { Moment } from "#policies/compiled-policy.ts";
import { compileFilter } from "#policies/compile-filter.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { buildPlan } from "#policies/plan/build-plan.ts";
import { Planning } from "#policies/plan/planning.ts";
import { scanCandidates } from "#policies/plan/scan-candidates.ts";
import { sql, toStatement } from "#policies/sql-fragment.ts";
import { compilePolicyText } from "../compile-policy-text.ts";
import { budgetOf, idle, limitedRule } from "../limited-rule.ts";
import { livelyTime, makeLivelyIndex } from "../lively-index.ts";
import type { Benchmark, Measurement } from "../runner/benchmark.ts";
import { compare, counted } from "../runner/compare.ts";
import type { Workbench } from "../runner/workbench.ts";

export default {
  name: "plan",
  about: "conditions, one plan and twenty rules, against SQL by hand and twenty scans",
  prepare: ({ folder, objects }) => makeLivelyIndex(`${folder}/index.duckdb`, objects),
  async measure(bench) {
    const index = await bench.openIndex();
    const moment: Moment = {
      now: livelyTime,
      backends: await index.backends(),
      heat: await index.heat(),
    };
    const conditions = await compareConditions(bench, index, moment);
    const plan = await comparePlan(bench, index, moment);
    return [
      ...conditions,
      plan,
      await compareRules(bench, index, moment),
      claimed("objects filtered", bench.objects, conditions[0], 10),
      claimed("objects planned", bench.objects, plan, 4),
    ];
  },
} satisfies Benchmark;

/** The same as somebody would write it who knows the tables. */
const idleByHand = `coalesce(accessed, ingested)
    < make_timestamp(${(livelyTime.getTime() - 30 * 86_400_000) * 1_000})
  AND heat_weight < 0.5 AND size >= 1048576 AND NOT held`;

/** Four conditions on the object alone, and the same with two on its copies. */
async function compareConditions(
  bench: Workbench,
  index: ObjectIndex,
  moment: Moment,
): Promise<readonly Measurement[]> {
  const registry = await loadAttributes();
  await using session = await index.session();
  const count = async (where: string) => {
    const condition = compileFilter(where, { ...moment, registry });
    await session.rows(toStatement(sql`SELECT count(*) FROM object AS o WHERE ${condition}`));
  };
  const text = `SELECT count(*) FROM object WHERE ${idleByHand}`;
  const copies = "copies(tier >= cold, confidence >= verified) = 0 and copies(tier = hot) >= 1";
  const scan = { rounds: bench.rounds * 3 };
  return [
    await compare({
      ...scan,
      what: "a condition of four clauses",
      ours: () => count(idle),
      peer: () => session.rows({ text, parameters: [] }),
      peerName: "SQL by hand",
      goal: 1.1,
    }),
    await compare({
      ...scan,
      what: "the same and two clauses on copies",
      ours: () => count(`${idle} and ${copies}`),
      peer: () => count(idle),
      peerName: "without those",
      goal: 2.5,
    }),
  ];
}

/** One demote with order and byte limit, whose rows are written to Parquet on both sides. */
async function comparePlan(
  bench: Workbench,
  index: ObjectIndex,
  moment: Moment,
): Promise<Measurement> {
  const budget = budgetOf(bench.objects);
  const set = await compilePolicyText(limitedRule(bench.objects), moment);
  const answers = { ours: "", peer: "" };
  const measured = await compare({
    what: "a plan: one demote with order and limit",
    rounds: bench.rounds,
    warm: true,
    goal: 1.3,
    ours: async () => {
      await using session = await index.session();
      const plan = await buildPlan(set, session, {
        engine: "bench",
        indexVersion: 1,
        writeRows: rowsAt(bench.path("plan.parquet")),
      });
      answers.ours = answerOf(plan.header);
    },
    peer: async () => {
      answers.peer = await planByHand(index, bench.path("by-hand.parquet"), budget);
    },
    peerName: "SQL by hand",
  });
  if (answers.ours !== answers.peer) {
    throw new Error(`a plan of ${answers.ours}, by hand ${answers.peer}`);
  }
  return measured;
}

/** What both sides have to find besides the rows: groups, what is beyond the limit, and guards. */
function answerOf({ totals, blocked, guards }: PlanHeader): string {
  const [beyond] = blocked.filter(({ reason }) => reason === "limit");
  const [, , minimum] = guards;
  const groups = totals.groups.map(({ actions, bytes }) => [actions, bytes]);
  const ofLimit = [beyond?.objects ?? 0, beyond?.bytes ?? 0];
  return JSON.stringify([groups, ofLimit, Number.parseInt(minimum?.message ?? "", 10)]);
}

/** As somebody would who knows that there are two backends, no room to run out of and one rule. */
async function planByHand(index: ObjectIndex, path: string, budget: number): Promise<string> {
  await using session = await index.session();
  const chosen = `CREATE OR REPLACE TEMP TABLE chosen AS
    SELECT object_id, size, present_mask, heat_weight, running <= ${budget} AS within FROM (
      SELECT object_id, size, present_mask, heat_weight,
        sum(size) OVER (ORDER BY heat_weight, object_id ROWS UNBOUNDED PRECEDING) AS running
      FROM object
      WHERE ${idleByHand} AND present_mask & 1 <> 0
        AND (present_mask & 4 <> 0 OR in_flight_mask & 4 = 0))`;
  await session.run({ text: chosen, parameters: [] });
  const rows = `SELECT
      row_number() OVER (ORDER BY c.present_mask & 4 DESC, c.heat_weight, c.object_id) - 1 AS sequence,
      'demote' AS verb, c.object_id, o.cid, c.size, o.profile,
      CASE WHEN c.present_mask & 4 = 0 THEN 0 END AS source,
      CASE WHEN c.present_mask & 4 = 0 THEN 2 END AS target, 0 AS victim, 'bench/cool' AS rule,
      'moves to a colder place' AS reason,
      '[{"rule":"bench/cool","backends":"4","copies":1,"confidence":"verified"}]' AS requirements
    FROM chosen c JOIN object o ON o.object_id = c.object_id WHERE c.within ORDER BY sequence`;
  await session.exportParquet({ text: rows, parameters: [] }, path);
  const ask = (text: string) => session.rows({ text, parameters: [] });
  const groups = await ask(`SELECT count(*) AS actions, sum(size)::BIGINT AS bytes,
      sum(size::HUGEINT * 20000000)::VARCHAR AS month
    FROM chosen WHERE within GROUP BY present_mask & 4 ORDER BY present_mask & 4 DESC`);
  const [beyond] = await ask(`SELECT count(*) AS objects, coalesce(sum(size), 0)::BIGINT AS bytes
    FROM chosen WHERE NOT within`);
  const [guards] = await ask(`SELECT (SELECT count(*) FROM object) AS objects,
      count(DISTINCT c.object_id) AS touched,
      count(*) FILTER (bit_count((o.verified_mask | 4) & ~1::BIGINT) < 1) AS below
    FROM chosen c JOIN object o ON o.object_id = c.object_id WHERE c.within`);
  return JSON.stringify([
    groups.map(({ actions, bytes }) => [actions, bytes]),
    [beyond?.["objects"], beyond?.["bytes"]],
    guards?.["below"],
  ]);
}

/** The scan of twenty rules at once against one scan for each. */
async function compareRules(
  bench: Workbench,
  index: ObjectIndex,
  moment: Moment,
): Promise<Measurement> {
  const rules = Array.from({ length: 20 }, (_, at) => {
    const where = `idle > ${30 + at}d and heat < ${(at + 1) / 40} and size >= ${(at + 1) * 64}KiB`;
    const verb =
      at % 2 === 0 ? "evict: {from: tier = hot}" : "demote: {from: tier = hot, to: tier = cold}";
    return `- {name: rule-${at}, where: ${where}, ${verb}}`;
  });
  const all = await compilePolicyText(rules.join("\n"), moment);
  const scan = async (chosen: typeof all.rules) => {
    await using session = await index.session();
    const safety = { minimumCopies: 1, headRoomShare: 0.05 };
    const planning = new Planning({ ...all, rules: chosen }, session, safety);
    await scanCandidates(planning);
    // Those of one rule become no table by themselves.
    await planning.settle();
  };
  return await compare({
    what: "candidates of twenty rules",
    rounds: bench.rounds,
    goal: 0.5,
    ours: () => scan(all.rules),
    peer: async () => {
      for (const rule of all.rules) await scan([rule]);
    },
    peerName: "twenty scans",
  });
}

/** What IBM says of Spectrum Scale: ten billion files in 43 minutes, on a cluster. */
const claimedRate = 3.9e6;

/** Those walk a file system; here the index exists already. */
function claimed(
  what: string,
  objects: number,
  measured: Measurement | undefined,
  goal: number,
): Measurement {
  return counted({
    what,
    ours: objects / (measured?.ours ?? Number.NaN),
    peer: claimedRate,
    peerName: "a cluster's published claim",
    unit: "objects/s",
    better: "more",
    goal,
  });
}
