import type { Role } from "#model/node.ts";
import type { CommandContext } from "#cli/command.ts";

/** Exit codes after a clean stop, as shells count them. */
const stopCodes: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

/** Runs a node until it is told to stop; what runs comes to a checkpoint first. */
export async function runNode(context: CommandContext, roles: readonly Role[]): Promise<number> {
  const { io } = context;
  const node = await context.start(roles);
  const { name } = (await context.config()).node;
  const { address } = node;
  context.print(
    () =>
      `node ${name} runs as ${roles.join(", ")}${address === undefined ? "" : ` at ${address}`}\n`,
    { node: name, roles, address: address ?? null },
  );
  context.note("stop it with Ctrl-C; what runs is checkpointed and goes on at the next start");
  await stopped(io.signal);
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
