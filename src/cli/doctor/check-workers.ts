import type { Check } from "#model/check.ts";
import type { NodeState } from "#model/engine-api.ts";
import type { LeaderState } from "#model/leader-state.ts";

/** Whether a living worker reaches each backend; a command without a controller works by itself. */
export function checkWorkers(
  leader: LeaderState | undefined,
  nodes: readonly NodeState[],
  backends: readonly string[],
): readonly Check[] {
  if (leader === undefined) return [];
  const name = "workers";
  const workers = nodes.filter(({ up, roles }) => up && roles.includes("worker"));
  const unreached = backends.filter((backend) =>
    workers.every((worker) => !worker.backends.includes(backend)),
  );
  if (workers.length > 0 && unreached.length === 0) {
    return [{ name, state: "ok", message: workers.map((worker) => worker.name).join(", ") }];
  }
  const message =
    workers.length === 0
      ? "none is up"
      : `none that is up has ${unreached.join(", ")} in its configuration`;
  const why = "what is planned there waits until there is one";
  const hint = "start one: thermocline worker";
  return [{ name, state: "warn", message, why, hint }];
}
