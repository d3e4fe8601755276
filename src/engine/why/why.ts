import type { EngineContext } from "#engine/context.ts";
import type { Execution } from "#engine/execution.ts";
import { findRun } from "#engine/runs.ts";
import { gatherStanding } from "#engine/why/gather-standing.ts";
import { judgeWork } from "#engine/why/judge-work.ts";
import type { Question } from "#engine/why/question.ts";
import { whyJob } from "#engine/why/why-job.ts";
import { whyObject } from "#engine/why/why-object.ts";
import { openTerms, termsText } from "#model/approval.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Run } from "#model/run.ts";
import type { OpenWork, WhyReport } from "#model/why.ts";

/** What a question about standing still looks at, beside the thing itself. */
const lookedAt = ["pauses", "rules", "nodes", "lanes in the queue", "backends", "cordons"];

/** Answers for a run (or the beginning of its id), a job id, or an object. */
export async function why(
  context: EngineContext,
  execution: Execution,
  nodes: EngineApi["nodes"],
  reference: string,
): Promise<WhyReport> {
  const question: Question = {
    context,
    execution,
    async look(runId) {
      const work = await context.index.controls.openWork(runId);
      return { work, standing: await gatherStanding(context, execution, nodes, work) };
    },
  };
  const run = await findRun(context, reference).catch((error: unknown) => {
    if (EngineError.from(error).code === "NOT_FOUND") return undefined;
    throw error;
  });
  if (run !== undefined) return whyRun(question, run);
  if (/^[0-9a-f]{40}$/.test(reference)) return whyJob(question, reference);
  return whyObject(question, reference).catch((thrown: unknown) => {
    const error = EngineError.from(thrown);
    if (error.code !== "NOT_FOUND") throw error;
    throw new EngineError("NOT_FOUND", `no run, job or object is called "${reference}"`, {
      hint: "name a run as `thermocline runs ls` does, an object by CID, number, or a path that begins with /",
      cause: error,
    });
  });
}

async function whyRun(question: Question, run: Run): Promise<WhyReport> {
  const { look } = question;
  const { work, standing } = await look(run.id);
  const { actions, remaining, failed, causes } = run.progress;
  const views = [...standing.lanes.values()].filter((view) => typeof view !== "string");
  const waiting = work.flatMap((group) => judgeWork(group, standing));
  const failures = causes.map(({ code, count, example }) => `${count} failed: ${code}: ${example}`);
  const retry = failed > 0 ? [`to try them again: thermocline retry ${run.id}`] : [];
  return {
    about: "run",
    subject: `run ${run.id} is ${run.state}: ${remaining} of ${actions} actions remain`,
    waiting,
    active: views
      .flatMap(({ active }) => active)
      .map(({ step }) => step)
      .filter(({ runId, lost }) => runId === run.id && !lost),
    actions: [],
    facts: [
      ...(await approvalFacts(question, run)),
      ...failures,
      ...retry,
      ...ending(run, work, waiting.length),
    ],
    looked: [`run ${run.id}`, ...lookedAt],
  };
}

/** What a run waits for that a person must approve, or why it never began. */
async function approvalFacts({ context }: Question, run: Run): Promise<readonly string[]> {
  const { index, now } = context;
  await index.controls.approvals.expire(now());
  const approval = (await index.controls.approvals.all()).find(({ runId }) => runId === run.id);
  if (approval === undefined) return [];
  const decided = approval.decisions.map(
    ({ verdict, by, at, reason }) => `${verdict} by ${by} at ${at}: ${reason}`,
  );
  if (approval.state !== "awaiting") {
    const why = approval.reason === "" ? "" : `: ${approval.reason}`;
    return [`its plan was ${approval.state}${why}`, ...decided];
  }
  return [
    `it needs approval by ${termsText(openTerms(approval))}, until ${approval.expiresAt}`,
    `it was asked for by ${approval.author} at ${approval.requestedAt}`,
    `what is to be approved: thermocline approvals; then thermocline approve ${run.id} --reason …`,
    ...decided,
  ];
}

/** Between the last outcome and the end of a run there is a moment. */
function ending(run: Run, work: readonly OpenWork[], waiting: number): readonly string[] {
  if (run.state === "awaiting-approval") return [];
  if (run.endedAt !== undefined) return [`it ended at ${run.endedAt}`];
  if (work.length === 0) return ["all its actions have an outcome: it ends in the next round"];
  return waiting === 0 ? ["nothing holds it back: workers are at all that is left"] : [];
}
