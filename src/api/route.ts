import type { z } from "zod";
import type { ByteStream } from "#model/driver.ts";
import type { EngineApi } from "#model/engine-api.ts";

/**
 * One route of the HTTP interface: the server, the OpenAPI document and the tests all read this
 * table. `input` holds every parameter: names in the path template come from the path, the rest
 * from the query of a GET or from the JSON body of anything else.
 */
export interface Route {
  readonly method: "GET" | "POST";
  /** OpenAPI form: `/api/v1/runs/{id}`. */
  readonly path: string;
  /** The operation id; for engine routes the name of the `EngineApi` method. */
  readonly operation: string;
  readonly summary: string;
  readonly input: z.ZodObject;
  readonly answer: Answer;
  /** Answers without a token: health checks and the description of the interface. */
  readonly open?: boolean;
  /** The body is streamed, instead of one JSON value: lines of JSON, or content. */
  readonly streams?: "lines" | "bytes";
  handle(server: ServerContext, input: never, body: StreamedBody): unknown;
}

/** A body that is read while it arrives, in the one way that its route declares. */
export interface StreamedBody {
  lines(): AsyncIterable<string>;
  bytes(): ByteStream;
}

/** What a route answers with, and the schema of it (of each line, for `ndjson`). */
export type Answer =
  | { readonly kind: "json" | "ndjson" | "events"; readonly schema: z.ZodType }
  | { readonly kind: "bytes"; readonly type: ByteMediaType }
  | { readonly kind: "none" | "text" | "arrow" };

/** Arrow's interprocess format: read from the front, or anywhere; and content of any kind. */
export type ByteMediaType =
  | "application/vnd.apache.arrow.stream"
  | "application/vnd.apache.arrow.file"
  | "application/octet-stream";

/** What handlers work with. */
export interface ServerContext {
  readonly api: EngineApi;
  readonly version: string;
  /** Differs at each start, so that a state file can be matched with its controller. */
  readonly instance: string;
}

interface TypedRoute<Input extends z.ZodObject, Result> extends Omit<Route, "input" | "handle"> {
  readonly input: Input;
  handle(server: ServerContext, input: z.output<Input>, body: StreamedBody): Result;
}

/** Defines a route; the handler's input has the type its schema gives. */
export function defineRoute<Input extends z.ZodObject, Result>(
  route: TypedRoute<Input, Result>,
): Route {
  return route;
}
