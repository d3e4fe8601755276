import { EngineError } from "#model/engine-error.ts";
import type { CommandContext } from "#cli/command.ts";
import { ProgressView } from "#cli/output/progress-view.ts";
import type { Progress } from "#cli/output/progress-view.ts";

/** What imports and checks stream: progress, problems on the way, one summary at the end. */
export interface StreamedStep {
  readonly type: "progress" | "problem" | "summary";
  readonly message?: string;
}

/** Shows a stream of steps as progress and gives its summary. CANCELLED when interrupted. */
export async function streamWithProgress<Step extends StreamedStep>(
  context: CommandContext,
  steps: AsyncIterable<Step>,
  describe: (step: Step) => Progress,
): Promise<Step> {
  const { io } = context;
  const view = new ProgressView(context.quiet ? "none" : context.progress, io.stderr, io.clock);
  let last: Step | undefined;
  try {
    for await (const step of steps) {
      if (step.type === "problem") view.line(`problem: ${step.message ?? "unknown"}`);
      view.update(describe(step));
      last = step;
      if (io.signal.aborted) break;
    }
  } finally {
    view.end();
  }
  if (io.signal.aborted) {
    throw new EngineError("CANCELLED", "interrupted; what was done until here is recorded", {
      hint: "run the same command again: it goes on with what is left",
    });
  }
  if (last?.type !== "summary") {
    throw new EngineError("UNAVAILABLE", "the engine ended the answer without a summary", {
      hint: "run the command again; what was done is recorded",
    });
  }
  return last;
}
