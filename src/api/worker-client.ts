import type { ApiConnection } from "#api/api-connection.ts";
import { BackendClient } from "#api/backend-client.ts";
import type { EngineApi } from "#model/engine-api.ts";

type Answer<Method extends keyof EngineApi> = ReturnType<EngineApi[Method]>;
type Request<Method extends keyof EngineApi> = Parameters<EngineApi[Method]>[0];

/** Workers must notice soon that a controller is stuck. */
const workerTimeoutMs = 30_000;

/** What workers ask and tell while they work, over HTTP. */
export class WorkerClient extends BackendClient {
  readonly #connection: ApiConnection;

  constructor(connection: ApiConnection) {
    super(connection);
    this.#connection = connection;
  }

  reportOutage(report: Request<"reportOutage">): Answer<"reportOutage"> {
    return this.#connection.json("POST", "/api/v1/outages", {
      body: report,
      timeoutMs: workerTimeoutMs,
    });
  }

  heartbeat(report: Request<"heartbeat">): Answer<"heartbeat"> {
    return this.#connection.json("POST", "/api/v1/nodes/heartbeat", {
      body: report,
      timeoutMs: workerTimeoutMs,
    });
  }

  async segment(planCid: string, from: number, to: number): Answer<"segment"> {
    const path = `/api/v1/plans/${encodeURIComponent(planCid)}/segment`;
    const bytes = await this.#connection.bytes("GET", path, {
      query: { from, to },
      timeoutMs: workerTimeoutMs,
    });
    return new Uint8Array(bytes);
  }

  segmentNames(planCid: string, from: number, to: number): Answer<"segmentNames"> {
    const path = `/api/v1/plans/${encodeURIComponent(planCid)}/segment-names`;
    const timeoutMs = workerTimeoutMs;
    return this.#connection.json("GET", path, { query: { from, to }, timeoutMs });
  }

  stepControls(steps: Request<"stepControls">): Answer<"stepControls"> {
    return this.#connection.json("POST", "/api/v1/step-controls", {
      body: { steps },
      timeoutMs: workerTimeoutMs,
    });
  }

  limitShares(request: Request<"limitShares">): Answer<"limitShares"> {
    const timeoutMs = workerTimeoutMs;
    return this.#connection.json("POST", "/api/v1/limit-shares", { body: request, timeoutMs });
  }
}
