import { explainNow } from "#engine/explain.ts";
import { showObject } from "#engine/objects.ts";
import { judgeWork } from "#engine/why/judge-work.ts";
import type { Standing } from "#engine/why/standing.ts";
import type { Question } from "#engine/why/question.ts";
import type { ActiveStep } from "#model/control.ts";
import type { ObjectDetail } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ActionStanding, OpenWork, WhyReport } from "#model/why.ts";

/** An object: its actions in runs and what holds them, its copies, and what the policies say. */
export async function whyObject(question: Question, reference: string): Promise<WhyReport> {
  const { context, look } = question;
  const object = await showObject(context, reference);
  const actions = await context.index.controls.actionsOf(object.objectId);
  const answers: ActionStanding[] = [];
  const looked = ["its copies and holds", "the ledger", "its actions in runs", "the policies"];
  if (actions.some(isOpen)) {
    const { work, standing } = await look();
    looked.push("pauses", "rules", "nodes", "lanes in the queue", "backends");
    for (const action of actions) {
      answers.push(isOpen(action) ? standingOf(action, work, standing) : action);
    }
  } else answers.push(...actions);
  return {
    about: "object",
    subject: `${object.path ?? object.cid}: ${copiesOf(object)}`,
    waiting: [],
    active: [],
    actions: answers,
    facts: [...factsOf(object), ...(await outlook(question, reference))],
    looked,
  };
}

function isOpen({ state }: ActionStanding): boolean {
  return state === "pending" || state === "queued";
}

/** Where an open action stands: with a worker, behind others, or held and by what. */
function standingOf(
  action: ActionStanding,
  work: readonly OpenWork[],
  standing: Standing,
): ActionStanding {
  const step = stepOf(action, standing);
  if (step !== undefined) {
    const message = `on node ${step.node ?? "?"}: ${step.done} of ${step.total} objects are over`;
    return { ...action, state: "active", message };
  }
  const group = work.find(
    (one) =>
      one.runId === action.runId &&
      one.verb === action.verb &&
      one.source === action.source &&
      one.target === action.target &&
      one.victim === action.victim,
  );
  const waits = group === undefined ? [] : judgeWork(group, standing);
  const words = waits.map(({ wait: { reason, message, until, remedy } }) => {
    const end = until === undefined ? "" : ` (until ${until})`;
    return `${reason}: ${message}${end}${remedy === undefined ? "" : `; to end it: ${remedy}`}`;
  });
  const given = `batch ${action.batch ?? "?"} is with the queue and about to be taken`;
  return { ...action, message: words.length === 0 ? given : words.join("; ") };
}

function stepOf({ runId, batch }: ActionStanding, standing: Standing): ActiveStep | undefined {
  for (const view of standing.lanes.values()) {
    if (typeof view === "string") continue;
    const held = view.active.find(({ step }) => step.runId === runId && step.batch === batch);
    if (held !== undefined) return held.step.lost ? undefined : held.step;
  }
  return undefined;
}

function copiesOf({ copies }: ObjectDetail): string {
  if (copies.length === 0) return "no copy anywhere";
  return copies.map((copy) => `${copy.backend} ${copy.state} ${copy.confidence}`).join(", ");
}

function factsOf({ held, history }: ObjectDetail): readonly string[] {
  const [last] = history;
  return [
    ...(held ? ["a hold protects it: no copy may be removed"] : []),
    ...(last === undefined
      ? []
      : [`last entry of the ledger: ${last.at} ${last.kind} ${last.reason}`]),
  ];
}

/** What the policies would do, and when that changes; their errors are an answer too. */
async function outlook({ context }: Question, object: string): Promise<readonly string[]> {
  try {
    const { conclusion, nextChange } = await explainNow(context, { object });
    const next =
      nextChange === undefined ? [] : [`next change: ${nextChange.at}, ${nextChange.what}`];
    return [...conclusion, ...next];
  } catch (error) {
    return [`the policies cannot be asked: ${EngineError.from(error).message}`];
  }
}
