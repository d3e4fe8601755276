import { createHash } from "node:crypto";
import { countedRetries, measuredAction } from "#jobs/measured-action.ts";
import { runCommand } from "#jobs/acts/run-command.ts";
import { sendMessage } from "#jobs/acts/send-message.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import type { SegmentAction } from "#jobs/segment.ts";
import type { StepContext } from "#jobs/step-context.ts";
import { EngineError } from "#model/engine-error.ts";
import type { OutsidePort } from "#model/outside.ts";
import type { OutsideOrder } from "#model/run.ts";
import { outsideLane } from "#model/run-order.ts";

/** So often a step steps aside for somebody who does not answer; the waits grow to a minute. */
const asidesMax = 12;

/** What is told of the objects of a batch: the same bytes, and the same id, at every try. */
export interface OutsideBatch {
  /** Made of plan, rule and place in the plan: who gets it twice knows it again. */
  readonly id: string;
  readonly rule: string;
  readonly run: string;
  readonly plan: string;
  readonly objects: readonly { readonly cid: string; readonly size: number }[];
}

/**
 * Hands the objects of a batch, all together, to a webhook or a command. What may pass is tried
 * again, first here, then by a step that steps aside and comes back; in the end all have failed.
 */
export async function actOutside(
  actions: readonly SegmentAction[],
  context: StepContext,
): Promise<void> {
  if (actions.length === 0) return;
  const { data, memory, outside, signal } = context;
  if (data.outside === undefined || outside === undefined) {
    throw new EngineError("INTERNAL", "a step without its order, or on a worker that has none");
  }
  const order = data.outside;
  const batch = batchOf(actions, order, context);
  try {
    const message = await measuredAction(context, outsideLane, () =>
      runWithRetries(
        () => hand(order, batch, outside, signal),
        countedRetries(context, outsideLane),
      ),
    );
    for (const { sequence } of actions) memory.add({ sequence, outcome: "done", message });
  } catch (thrown) {
    signal.throwIfAborted();
    const error = EngineError.from(thrown);
    const { code, message } = error;
    if (error.retryable && (data.outages ?? 0) < asidesMax) {
      throw new EngineError("UNAVAILABLE", message, { cause: error });
    }
    const { output } = error.details;
    const end = {
      outcome: "failed",
      code,
      message,
      ...(typeof output === "string" ? { output } : {}),
    } as const;
    for (const { sequence } of actions) memory.add({ sequence, ...end });
  }
}

async function hand(
  { order }: OutsideOrder,
  batch: OutsideBatch,
  outside: OutsidePort,
  signal: AbortSignal,
): Promise<string> {
  switch (order.action) {
    case "notify":
      return await sendMessage(order.webhook, await outside.webhook(order.webhook), batch, signal);
    case "command":
      return await runCommand(order.command, outside.command(order.command), batch, signal);
    default:
      throw new EngineError("INTERNAL", `${order.action} is not done outside`);
  }
}

function batchOf(
  actions: readonly SegmentAction[],
  { rule }: OutsideOrder,
  { data: { runId: run, planCid: plan, from, to } }: StepContext,
): OutsideBatch {
  const identity = createHash("sha256").update([plan, rule, from, to].join("\n")).digest("hex");
  const objects = actions.map(({ object: { cid, size } }) => ({ cid, size }));
  return { id: `msg_${identity.slice(0, 32)}`, rule, run, plan, objects };
}
