import type { BackendPool } from "#engine/backend-pool.ts";
import { BackendWatch } from "#jobs/backend-watch.ts";
import type { BackendHealth } from "#model/backend-health.ts";
import { EngineError } from "#model/engine-error.ts";

/** Watches every configured backend; what changes is told as trouble, and ends as news. */
export function watchBackends(
  pool: BackendPool,
  now: () => Date,
  onError: (error: EngineError) => void,
): BackendWatch {
  return new BackendWatch({
    backends: pool.names,
    status: async (backend, options) => (await pool.driver(backend)).status(options),
    now,
    onChange: (health) => {
      onError(newsOf(health));
    },
  });
}

function newsOf({ backend, state, message }: BackendHealth): EngineError {
  const why = message === undefined ? "" : `: ${message}`;
  switch (state) {
    case "up":
      return new EngineError("UNAVAILABLE", `backend ${backend} is back: its work goes on`);
    case "trial":
      return new EngineError("NO_SPACE", `backend ${backend} is tried with writes again`);
    case "full":
      return new EngineError("NO_SPACE", `backend ${backend} is full, writes to it wait${why}`);
    case "read-only":
      return new EngineError("WRITES_DISABLED", `backend ${backend} takes no writes${why}`);
    default:
      return new EngineError("UNAVAILABLE", `backend ${backend} is out, its work waits${why}`);
  }
}
