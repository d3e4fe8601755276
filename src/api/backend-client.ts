import type { ApiConnection } from "#api/api-connection.ts";
import { BatchClient } from "#api/batch-client.ts";
import type { EngineApi } from "#model/engine-api.ts";

type Answer<Method extends keyof EngineApi> = ReturnType<EngineApi[Method]>;
type Request<Method extends keyof EngineApi> = Parameters<EngineApi[Method]>[0];

/** What people order of single backends, over HTTP. */
export class BackendClient extends BatchClient {
  readonly #connection: ApiConnection;

  constructor(connection: ApiConnection) {
    super(connection);
    this.#connection = connection;
  }

  setCordon(backend: string, cordoned: boolean): Answer<"setCordon"> {
    const path = `/api/v1/backends/${encodeURIComponent(backend)}/cordon`;
    return this.#connection.json("POST", path, { body: { cordoned } });
  }

  collectGarbage({ backend, ...body }: Request<"collectGarbage">): Answer<"collectGarbage"> {
    const path = `/api/v1/backends/${encodeURIComponent(backend)}/gc`;
    return this.#connection.lines("POST", path, { body });
  }
}
