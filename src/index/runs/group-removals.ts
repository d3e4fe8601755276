import type { ActionOutcome } from "#index/runs/record-outcomes.ts";
import { cidText } from "#index/cid-key.ts";
import type { RemovalJudgement } from "#index/runs/judge-removal.ts";
import type { RunRecord } from "#index/runs/run-record.ts";
import type { OpenAction } from "#index/runs/step-batch.ts";
import type { Transaction } from "#index/transaction.ts";
import type { SqlRow } from "#model/sql.ts";

/**
 * The refusal of a removal because of the collection that it goes with: some object of it is not
 * ready, or one in this batch may not be given up by itself. That one is told its own reason, all
 * others which one it is and why.
 */
export async function wholeGroups(
  transaction: Transaction,
  run: RunRecord,
  { actions, ended, judge }: GroupedStep,
): Promise<(action: OpenAction) => RemovalJudgement | undefined> {
  const { groupOf, nameOf, unready } = await readRemovalGroups(transaction, run, actions, ended);
  const broken = new Map(unready);
  const refused = new Map<OpenAction, RemovalJudgement>();
  for (const action of actions) {
    const group = groupOf(action);
    if (group === undefined) continue;
    const judgement = judge(action);
    if (judgement.permitted) continue;
    refused.set(action, judgement);
    if (broken.has(group)) continue;
    const { object_id: objectId } = action;
    broken.set(group, { objectId, name: nameOf(action), why: judgement.message });
  }
  return (action) => {
    const own = refused.get(action);
    if (own !== undefined) return own;
    const group = groupOf(action);
    const blamed = group === undefined ? undefined : broken.get(group);
    if (blamed === undefined) return undefined;
    const who = blamed.objectId === action.object_id ? "this object" : blamed.name;
    const message = `${who} of its collection cannot go yet, and they go together: ${blamed.why}`;
    return { permitted: false, reason: "group", message };
  };
}

/** The removals of a step, and what of it has ended without one, and is not recorded yet. */
export interface JudgedStep {
  readonly actions: readonly OpenAction[];
  readonly ended: readonly ActionOutcome[];
}

interface GroupedStep extends JudgedStep {
  readonly judge: (action: OpenAction) => RemovalJudgement;
}

/** The object because of which its collection stays. */
interface Blamed {
  readonly objectId: number;
  /** Its path, or its CID where it has none. */
  readonly name: string;
  readonly why: string;
}

/** Collections that a rule empties whole or not at all, as far as a batch is about them. */
interface RemovalGroups {
  /** The group of an action; undefined when it goes by itself. */
  readonly groupOf: (action: OpenAction) => string | undefined;
  /** What people call the object of an action. */
  readonly nameOf: (action: OpenAction) => string;
  /** Groups of which some object is not ready to be given up, with the first one of them. */
  readonly unready: ReadonlyMap<string, Blamed>;
}

/**
 * Looks for the objects that go together with those of a batch: each must have its new copy,
 * verified, and none may be held or have failed. A collection that spans batches is therefore
 * copied by one plan, and given up by the next when its copies came too late for the first.
 */
async function readRemovalGroups(
  transaction: Transaction,
  run: RunRecord,
  actions: readonly OpenAction[],
  ended: readonly ActionOutcome[],
): Promise<RemovalGroups> {
  const { groups } = await transaction.row<{ groups: string | null }>(
    "SELECT json_extract(header, '$.groups')::VARCHAR AS groups FROM plans WHERE plan_key = $1",
    [run.planKey],
  );
  const rules = new Set(groups === null ? [] : (JSON.parse(groups) as readonly string[]));
  const grouped = actions.filter(({ rule }) => rules.has(rule));
  if (grouped.length === 0) return { groupOf: () => undefined, nameOf: cidOf, unready: new Map() };
  await transaction.stage(
    "grouped_actions",
    { rule: "VARCHAR", object_id: "BIGINT" },
    grouped.map(({ rule, object_id: objectId }) => [rule, objectId]),
  );
  const members = await transaction.rows<Member>(
    `SELECT object_id, collection, path FROM objects
     WHERE object_id IN (SELECT object_id FROM grouped_actions)`,
  );
  const known = new Map(members.map((row) => [row.object_id, row]));
  const unready = await transaction.rows<Unready>(notReady, [run.planKey, run.runKey]);
  return {
    groupOf: ({ rule, object_id: objectId }) => {
      const collection = rules.has(rule) ? known.get(objectId)?.collection : undefined;
      return collection === undefined || collection === null ? undefined : keyOf(rule, collection);
    },
    nameOf: (action) => known.get(action.object_id)?.path ?? cidOf(action),
    unready: new Map(unready.map((row) => [keyOf(row.rule, row.collection), blamed(row, ended)])),
  };
}

interface Member extends SqlRow {
  readonly object_id: number;
  readonly collection: string | null;
  readonly path: string | null;
}

interface Unready extends SqlRow {
  readonly rule: string;
  readonly collection: string;
  readonly sequence: number;
  readonly object_id: number;
  readonly cid: Uint8Array;
  readonly path: string | null;
  readonly held: boolean;
  readonly outcome: string | null;
  readonly message: string | null;
  readonly target: string | null;
}

function blamed(
  { object_id: objectId, sequence, path, cid, ...row }: Unready,
  ended: readonly ActionOutcome[],
): Blamed {
  const { outcome, message } = ended.find((one) => one.sequence === sequence) ?? row;
  const why = whyUnready({ ...row, outcome, message });
  return { objectId, name: path ?? cidText(cid), why };
}

function whyUnready({
  held,
  outcome,
  message,
  target,
}: Pick<Unready, "held" | "outcome" | "message" | "target">): string {
  if (held) return "a hold protects it";
  if (outcome === null || outcome === "done") return `its copy on ${target} is not verified yet`;
  return `its action ${outcome === "failed" ? "failed" : `was ${outcome}`} (${message})`;
}

function cidOf({ cid }: Pick<OpenAction, "cid">): string {
  return cidText(cid);
}

function keyOf(rule: string, collection: string): string {
  return JSON.stringify([rule, collection]);
}

/** Of each collection one object: what is held or has ended before what is only not there yet. */
const notReady = `
  SELECT f.rule, f.collection, f.sequence, o.object_id, o.cid, o.path, o.held,
    e.outcome::VARCHAR AS outcome, e.message, b.name AS target
  FROM (
    SELECT p.rule, o.collection, coalesce(
      min(p.sequence) FILTER (WHERE o.held OR (e.outcome <> 'done' AND e.code IS DISTINCT FROM 'group')),
      min(p.sequence)) AS sequence
    FROM plan_actions AS p JOIN objects AS o USING (object_id)
    SEMI JOIN (SELECT DISTINCT g.rule, m.collection FROM grouped_actions AS g
      JOIN objects AS m USING (object_id)) AS w
      ON w.rule = p.rule AND w.collection = o.collection
    LEFT JOIN outcomes AS e ON e.run_key = $2 AND e.sequence = p.sequence
    WHERE p.plan_key = $1 AND (o.held OR e.outcome <> 'done'
      OR (p.target IS NOT NULL AND (o.verified_mask >> p.target) & 1 = 0))
    GROUP BY p.rule, o.collection
  ) AS f
  JOIN plan_actions AS p ON p.plan_key = $1 AND p.sequence = f.sequence
  JOIN objects AS o USING (object_id)
  LEFT JOIN outcomes AS e ON e.run_key = $2 AND e.sequence = f.sequence
  LEFT JOIN backends AS b ON b.backend_id = p.target
  ORDER BY ALL`;
