import type { EngineContext } from "#engine/context.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Run, RunControl } from "#model/run.ts";

const stateOf = { run: "running", pause: "paused", cancel: "cancelled" } as const;

/** A run by its id, or by the beginning of it when that is enough. */
export async function findRun({ index }: EngineContext, id: string): Promise<Run> {
  const exact = await index.run(id);
  if (exact !== undefined) return exact;
  const matches = (await index.runs()).filter((run) => run.id.startsWith(id));
  const [only] = matches;
  if (only !== undefined && matches.length === 1) return only;
  throw new EngineError(
    "NOT_FOUND",
    `${matches.length === 0 ? "no" : "more than one"} run "${id}"`,
    {
      hint: "`thermocline runs` lists them",
    },
  );
}

/** Pauses, resumes or cancels a run that has not ended. */
export async function setRunControl(
  context: EngineContext,
  id: string,
  control: RunControl,
): Promise<Run> {
  const run = await findRun(context, id);
  if (run.state === stateOf[control]) return run;
  if (run.endedAt !== undefined || run.state === "cancelled") {
    throw new EngineError("CONFLICT", `run ${run.id} has ended: ${run.state}`, {
      retryable: false,
      hint: "plan and apply again for what is left",
    });
  }
  return context.index.setRunState(run.id, stateOf[control], context.now());
}
