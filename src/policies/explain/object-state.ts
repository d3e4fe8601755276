import { breakEvenWords } from "#model/break-even.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Verb } from "#model/plan.ts";
import type { SqlRow } from "#model/sql.ts";
import { incompleteGroups } from "#policies/explain/incomplete-group.ts";
import { readLeasesOf } from "#policies/explain/lease-words.ts";
import type { ObjectState } from "#policies/explain/rule-result.ts";
import { weighOthers } from "#policies/explain/weigh-others.ts";
import { decideActions } from "#policies/plan/build-plan.ts";
import type { BlockedWish } from "#policies/plan/blocked-wishes.ts";
import { rulesOf } from "#policies/plan/match-words.ts";
import { rowOrder } from "#policies/plan/final-rows.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { costRefusals } from "#policies/price/refuse-losses.ts";
import { sql } from "#policies/sql-fragment.ts";

/** What the planner decides for one object alone, and what the others make of that. */
export async function stateAmongOthers(
  planning: Planning,
  objectId: number,
  matches: readonly boolean[],
): Promise<ObjectState> {
  await decideActions(planning, { objects: [objectId] });
  const alone = await objectState(planning, objectId, matches);
  const state = { ...alone, incomplete: await incompleteGroups(planning, objectId) };
  const weighed = await weighOthers(planning, objectId, state);
  if (weighed === undefined) return state;
  const { rows, blocked, ahead } = weighed;
  const own = state.blocked.filter(({ reason }) => reason !== "group");
  return { ...state, actions: rows.map(toAction), blocked: [...own, ...blocked], ahead };
}

async function objectState(
  planning: Planning,
  objectId: number,
  matches: readonly boolean[],
): Promise<ObjectState> {
  const [object] = await planning.rows(sql`SELECT present_mask, verified_mask, listed_mask,
      sampled_mask, in_flight_mask, held, tombstoned
    FROM object WHERE object_id = ${objectId}::BIGINT`);
  if (object === undefined) {
    throw new EngineError("NOT_FOUND", `there is no object ${objectId} in the index`, {
      hint: "name it by its CID, a path or its number; `objects ls` lists some",
    });
  }
  const actions = await planning.rows(sql`SELECT * FROM plan_row ORDER BY ${rowOrder}`);
  const losses = new Map(
    (await costRefusals(planning)).map((refusal) => [refusal.rule, breakEvenWords(refusal)]),
  );
  const detailOf = ({ ruleIndex, reason, detail }: BlockedWish): string | undefined => {
    const rule = planning.rules[ruleIndex];
    return reason === "break-even" && rule ? losses.get(rule.id) : detail;
  };
  const mask = (column: string) => BigInt(object[column] as number | bigint);
  const isHold = new Set(rulesOf(planning.rules, "hold").map(({ index }) => index));
  return {
    matches,
    names: new Map(planning.backends.map(({ id, name }) => [id, name])),
    masks: {
      claimed: mask("present_mask"),
      listed: mask("listed_mask"),
      sampled: mask("sampled_mask"),
      verified: mask("verified_mask"),
    },
    inFlight: mask("in_flight_mask"),
    held: object["held"] === true || matches.some((match, index) => match && isHold.has(index)),
    tombstoned: object["tombstoned"] instanceof Date ? object["tombstoned"] : undefined,
    leases: await readLeasesOf(planning, objectId),
    actions: actions.map(toAction),
    blocked: planning.blocked.all.map((wish) => {
      const { ruleIndex, reason } = wish;
      return { ruleIndex, reason, detail: detailOf(wish) };
    }),
    incomplete: new Map(),
    ahead: new Map(),
  };
}

function toAction(row: SqlRow): ObjectState["actions"][number] {
  const backend = (column: string) => (row[column] === null ? null : Number(row[column]));
  return {
    verb: row["verb"] as Verb,
    ruleIndex: Number(row["rule_index"]),
    source: backend("source"),
    target: backend("target"),
    victim: backend("victim"),
  };
}
