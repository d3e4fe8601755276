import { resolve } from "node:path";
import type { ApiConnection } from "#api/api-connection.ts";
import type { BatchApi } from "#model/batch-api.ts";
import type { BatchSource } from "#model/record-batch.ts";

type Answer<Method extends keyof BatchApi> = ReturnType<BatchApi[Method]>;
type Request<Method extends keyof BatchApi> = Parameters<BatchApi[Method]>[0];

/** The part of the client that is about record batches. */
export class BatchClient implements BatchApi {
  readonly #connection: ApiConnection;

  constructor(connection: ApiConnection) {
    this.#connection = connection;
  }

  publishBatch(request: Request<"publishBatch">): Answer<"publishBatch"> {
    const body = { ...request, ...places(request) };
    return this.#connection.json("POST", "/api/v1/batches", { body });
  }

  batches({ tags, limit }: Request<"batches">): Answer<"batches"> {
    const query = { limit, ...(tags === undefined ? {} : { tags: JSON.stringify(tags) }) };
    return this.#connection.json("GET", "/api/v1/batches", { query });
  }

  batch(reference: string): Answer<"batch"> {
    const path = `/api/v1/batches/${encodeURIComponent(reference)}/arrow`;
    return this.#connection.stream("GET", path);
  }

  followBatches(after?: string): Answer<"followBatches"> {
    return this.#connection.lines("GET", "/api/v1/batches/feed", { query: { after } });
  }

  checkBatches(batches?: readonly string[]): Answer<"checkBatches"> {
    const body = batches === undefined ? {} : { batches };
    return this.#connection.json("POST", "/api/v1/batches/check", { body });
  }

  exportBatch(request: Request<"exportBatch">): Answer<"exportBatch"> {
    const body = { ...request, file: resolve(request.file) };
    return this.#connection.json("POST", "/api/v1/batches/export", { body });
  }

  collectBatches(request: Request<"collectBatches">): Answer<"collectBatches"> {
    return this.#connection.json("POST", "/api/v1/batches/gc", { body: request });
  }
}

/** A plan is named by its CID or by its file. */
function places({ file, plan }: BatchSource): object {
  return {
    ...(file === undefined ? {} : { file: resolve(file) }),
    ...(plan === undefined || /^[a-z0-9]+$/.test(plan) ? {} : { plan: resolve(plan) }),
  };
}
