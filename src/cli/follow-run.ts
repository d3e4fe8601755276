import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatSize } from "#model/quantity.ts";
import type { Run } from "#model/run.ts";
import type { CommandContext } from "#cli/command.ts";
import type { Connection } from "#cli/connect.ts";
import { formatRun } from "#cli/output/format-run.ts";
import { StallWatch } from "#cli/stall-watch.ts";
import { ProgressView } from "#cli/output/progress-view.ts";
import { printable } from "#cli/output/text-table.ts";
import { count } from "#cli/output/words.ts";

const pollMs = 500;
const silenceMaxMs = 60_000;

/** Exit codes of a run that has ended (docs/exit-codes.md). */
const exitCodes = { completed: 0, partial: 3, failed: 1, cancelled: 1 } as const;

/**
 * Shows a run until it ends and gives the exit code; an interrupted command says where things
 * stand and gives 130.
 */
export async function followRun(
  context: CommandContext,
  connection: Connection,
  first: Run,
): Promise<number> {
  const { io } = context;
  const view = new ProgressView(context.quiet ? "none" : context.progress, io.stderr, io.clock);
  let run = first;
  let { state } = run;
  const stall = new StallWatch(connection.api, io.clock);
  const told = new Set<string>();
  for (;;) {
    const { reason, moving } = await stall.look(run);
    showProgress(view, run, moving);
    if (reason !== undefined) view.line(reason);
    for (const words of newCauses(run, told)) view.line(words);
    if (run.state !== state) view.line(`run ${run.id} is ${run.state}`);
    ({ state } = run);
    if (run.endedAt !== undefined || isEnd(run.state) || io.signal.aborted) break;
    await io.clock.sleep(pollMs, io.signal);
    run = await current(context, connection.api, view, run);
  }
  view.end();
  if (!isEnd(run.state)) return interrupted(context, connection, run);
  context.print(() => formatRun(run, io.clock.now()), { run });
  return exitCodes[run.state];
}

/** A controller that restarts is no failure of the run: asked again for a while. */
async function current(
  { io }: CommandContext,
  api: EngineApi,
  view: ProgressView,
  run: Run,
): Promise<Run> {
  const since = io.clock.monotonicMs();
  let isSaid = false;
  for (;;) {
    try {
      return await api.run(run.id);
    } catch (thrown) {
      const error = EngineError.from(thrown);
      const waited = io.clock.monotonicMs() - since;
      if (!error.retryable || io.signal.aborted || waited > silenceMaxMs) throw error;
      if (!isSaid) view.line("the engine does not answer; the run itself is not affected");
      isSaid = true;
      await io.clock.sleep(2 * pollMs, io.signal);
    }
  }
}

/** The first failure of each kind, at once: who watches may want to stop the others. */
function newCauses({ progress }: Run, told: Set<string>): readonly string[] {
  const fresh = progress.causes.filter(({ code }) => !told.has(code));
  for (const { code } of fresh) told.add(code);
  return fresh.map(({ code, example }) => `failed: ${code}: ${printable(example)}`);
}

function isEnd(state: Run["state"]): state is keyof typeof exitCodes {
  return Object.hasOwn(exitCodes, state);
}

function showProgress(view: ProgressView, run: Run, moving: number): void {
  const { actions, remaining, failed, skipped, bytes, bytesDone } = run.progress;
  const remarks = [
    moving > 0 ? `${formatSize(moving)} on the way` : "",
    run.state === "paused" ? "paused" : "",
    run.state === "awaiting-approval" ? "awaits approval" : "",
    skipped > 0 ? `${count(skipped)} skipped` : "",
    failed > 0 ? `${count(failed)} failed` : "",
  ];
  view.update({
    what: `run ${run.id}`,
    noun: "actions",
    done: actions - remaining,
    total: actions,
    bytesDone,
    bytesTotal: bytes,
    remark: remarks.filter((remark) => remark !== "").join(", "),
    fields: { run: run.id, state: run.state, progress: run.progress },
  });
}

function interrupted(context: CommandContext, { where }: Connection, run: Run): number {
  const { actions, remaining } = run.progress;
  context.io.stderr.write(
    `interrupted: ${count(actions - remaining)} of ${count(actions)} actions of run ${run.id} are over\n`,
  );
  context.io.stderr.write(
    where === "controller"
      ? `hint: it goes on in the controller; see it with: thermocline watch ${run.id}\n`
      : `hint: nothing is lost; go on with: thermocline resume ${run.id}\n`,
  );
  return 130;
}
