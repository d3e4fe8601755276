import { setTimeout as delay } from "node:timers/promises";
import type { CommandContext } from "#cli/command.ts";
import type { NodeStart } from "#cli/engines.ts";

/** Exit codes after a clean stop, as shells count them. */
const stopCodes: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

/** A node that must end does not hang on what it was doing. */
const closeAtMostMs = 5_000;

/** Runs a node until it is told to stop; what runs comes to a checkpoint first. */
export async function runNode(context: CommandContext, start: NodeStart): Promise<number> {
  const { io } = context;
  const { roles } = start;
  const node = await context.start(start);
  const { name } = (await context.config()).node;
  const { address } = node;
  context.print(
    () =>
      `node ${name} runs as ${roles.join(", ")}${address === undefined ? "" : ` at ${address}`}\n`,
    { node: name, roles, address: address ?? null },
  );
  context.note("stop it with Ctrl-C; what runs is checkpointed and goes on at the next start");
  const { ended } = node;
  await stopped(ended === undefined ? io.signal : AbortSignal.any([io.signal, ended]));
  if (ended?.aborted === true && !io.signal.aborted) {
    await Promise.race([node.close(), delay(closeAtMostMs, undefined, { ref: false })]);
    throw ended.reason;
  }
  context.note("stopping …");
  await node.close();
  return stopCodes[String(io.signal.reason)] ?? 0;
}

function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
