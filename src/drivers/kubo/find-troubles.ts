import type { BackendTrouble, DriverContext } from "#model/driver.ts";
import type { KuboOptions } from "#drivers/kubo/kubo-options.ts";
import { openRpc } from "#drivers/kubo/kubo-rpc.ts";

type Parameters = Readonly<Record<string, string>>;

/** What a user of `API.Authorizations` must be allowed to call, with what has each do nothing. */
const commands: readonly (readonly [command: string, parameters: Parameters])[] = [
  ["id", {}],
  // Without a type that there is, it would begin to list every pin.
  ["pin/ls", { type: "none" }],
  ["pin/rm", {}],
  ["files/stat", {}],
  ["dag/import", {}],
  ["dag/export", {}],
  ["dag/stat", {}],
  ["block/get", {}],
  ["block/rm", {}],
  ["cat", {}],
];

/** Commands that the user of a backend may not call. Without one, the node allows all or nothing. */
export async function findTroubles(
  context: Pick<DriverContext<KuboOptions>, "backend" | "options" | "secret">,
  signal: AbortSignal | undefined,
): Promise<readonly BackendTrouble[]> {
  const { backend, options } = context;
  if (options.authorization === undefined) return [];
  const asked = options.swarm === undefined ? commands : [...commands, ["pin/add", {}] as const];
  const rpc = openRpc(context);
  const denied: string[] = [];
  try {
    for (const [command, parameters] of asked) {
      const doing = `asking ${backend} whether ${command} may be called`;
      const mayCall = await rpc.mayCall(command, parameters, { doing, signal });
      if (!mayCall) denied.push(`/api/v0/${command}`);
    }
  } finally {
    rpc.close();
  }
  if (denied.length === 0) return [];
  const message = `the user may not call ${denied.join(", ")}`;
  const hint = "add them to AllowedPaths of the user in API.Authorizations of the node";
  return [{ state: "failed", message, hint }];
}
