import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { Hono } from "hono";
import type { Route, ServerContext } from "#api/route.ts";
import { EngineError } from "#model/engine-error.ts";
import { actAs } from "#model/acting.ts";
import { actingOf } from "#api/acting-headers.ts";
import { answerWith, type BreakOff } from "#api/answer.ts";
import { AnswersByKey } from "#api/idempotency.ts";
import { pathParameters, takesKey } from "#api/openapi.ts";
import { problemOf, problemType } from "#api/problem.ts";
import { readBytes, readInput, readLines, readText } from "#api/request-input.ts";
import { allRoutes } from "#api/routes/all-routes.ts";
import { TokenGuard } from "#api/token.ts";

/** The HTTP interface of an engine, as a Hono app: the table of routes behind one guard. */
export function createApp(server: ServerContext, options: AppOptions): Hono {
  const app = new Hono();
  const guard = new TokenGuard(options.token);
  const answers = new AnswersByKey();
  for (const route of allRoutes) {
    app.on(route.method, honoPath(route.path), async (context) => {
      if (route.open !== true && !guard.admits(context.req.header("authorization"))) {
        return unauthenticated();
      }
      const body = await readBody(route, context);
      const breakOff = breakingOff(context, options);
      const answer = (): Promise<Response> => callRoute(route, server, context, body, breakOff);
      const key = takesKey(route) ? context.req.header("idempotency-key") : undefined;
      if (key === undefined) return await answer();
      return await answers.once(key, `${route.operation} ${context.req.path} ${body}`, answer);
    });
  }
  app.notFound((context) =>
    problemResponse(
      new EngineError("NOT_FOUND", `no route ${context.req.method} ${context.req.path}`, {
        hint: "GET /api/v1/openapi.json lists every route",
      }),
    ),
  );
  app.onError((thrown) => {
    const error = EngineError.from(thrown);
    if (error.code === "INTERNAL") options.onDefect?.(error);
    return problemResponse(error, error.details["tooLarge"] === true ? 413 : undefined);
  });
  return app;
}

/** What an app needs beside the engine. */
export interface AppOptions {
  readonly token: string;
  /** Told of errors that are nobody's fault but ours. */
  readonly onDefect?: (error: EngineError) => void;
  /** Told of answers that broke off after they had begun, of which the caller hears no reason. */
  readonly onBrokenAnswer?: (error: EngineError) => void;
}

/** How the connection of a call is cut; undefined where it came over none. */
function breakingOff(context: Context, { onBrokenAnswer }: AppOptions): BreakOff | undefined {
  const { outgoing } = (context.env ?? {}) as Partial<HttpBindings>;
  if (outgoing === undefined) return undefined;
  return (error) => {
    const { code, message, hint, retryable, details } = error;
    const told = hint === undefined ? {} : { hint };
    const what = `the answer to ${context.req.method} ${context.req.path} broke off: ${message}`;
    onBrokenAnswer?.(new EngineError(code, what, { ...told, retryable, details, cause: error }));
    outgoing.destroy();
  };
}

async function callRoute(
  route: Route,
  server: ServerContext,
  context: Context,
  body: string,
  breakOff: BreakOff | undefined,
): Promise<Response> {
  const input = readInput(route, context, body);
  const stream = route.streams === undefined ? null : context.req.raw.body;
  const streamed = { lines: () => readLines(stream), bytes: () => readBytes(stream) };
  // The schema of this very route has just given the input its type.
  const by = actingOf((name) => context.req.header(name));
  const result = await actAs(by, () => route.handle(server, input as never, streamed));
  return await answerWith(route.answer, result, breakOff);
}

async function readBody(route: Route, context: Context): Promise<string> {
  if (route.method === "GET" || route.streams !== undefined) return "";
  return await readText(context.req.raw.body);
}

function honoPath(path: string): string {
  return pathParameters(path).reduce((text, name) => text.replace(`{${name}}`, `:${name}`), path);
}

function unauthenticated(): Response {
  const error = new EngineError("UNAUTHENTICATED", "the token is missing or wrong", {
    hint: "send `Authorization: Bearer <token>`; the state file says where the token lies",
  });
  const response = problemResponse(error, 401);
  response.headers.set("WWW-Authenticate", 'Bearer realm="thermocline"');
  return response;
}

function problemResponse(error: EngineError, status?: number): Response {
  const problem = problemOf(error, status);
  const headers = new Headers({ "Content-Type": problemType });
  if (error.retryAfterMs !== undefined) {
    headers.set("Retry-After", String(Math.ceil(error.retryAfterMs / 1_000)));
  }
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}
