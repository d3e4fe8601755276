import type { Context } from "hono";
import type { z } from "zod";
import type { Route } from "#api/route.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** A JSON body holds parameters, never content. */
const bodyBytesMax = 1024 * 1024;
/** One upload of lines. They are streamed, so this is against mistakes, not for memory. */
const linesBytesMax = 16 * 1024 ** 3;
const lineLengthMax = 64 * 1024;

/** Path, query and body of a request, checked by the schema of its route. */
export function readInput(route: Route, context: Context, body: string): unknown {
  const given = {
    ...(route.answer.kind === "events" ? lastEvent(context) : {}),
    ...(route.method === "GET" || route.streams ? context.req.query() : parseBody(body)),
    ...context.req.param(),
  };
  const result = route.input.safeParse(given);
  if (result.success) return result.data;
  const issues = result.error.issues.map(describeIssue);
  throw new EngineError("USAGE", `${route.operation}: ${issues.join("; ")}`, {
    hint: "GET /api/v1/openapi.json describes the parameters of every route",
    details: { issues },
  });
}

/** A browser that comes back says by this header what it heard last. */
function lastEvent(context: Context): { readonly after?: string } {
  const after = context.req.header("last-event-id");
  return after === undefined ? {} : { after };
}

/** Lines of a body as they arrive, with bounds on each and on all together. */
export async function* readLines(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  if (body === null) return;
  const decoder = new TextDecoder();
  let rest = "";
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > linesBytesMax) throw tooLarge(`the body is over ${linesBytesMax} bytes`);
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > lineLengthMax || lines.some((line) => line.length > lineLengthMax)) {
      throw tooLarge(`a line is over ${lineLengthMax} characters`);
    }
    for (const line of lines) yield line;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}

/** Content as it arrives. What was cut off is an error, and how much there may be the backend says. */
export async function* readBytes(body: ReadableStream<Uint8Array> | null): ByteStream {
  try {
    if (body !== null) yield* body;
  } catch (thrown) {
    throw new EngineError("UNAVAILABLE", "the content broke off on its way here", {
      hint: "send it again",
      cause: thrown,
    });
  }
}

/** A whole body as text. */
export async function readText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bodyBytesMax) throw tooLarge(`the body is over ${bodyBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseBody(text: string): object {
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError("USAGE", `the body is not JSON: ${reason}`, { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new EngineError("USAGE", "the body must be a JSON object");
}

/** The error of a body that is over its bound (status 413). */
function tooLarge(message: string): EngineError {
  return new EngineError("USAGE", message, {
    hint: "send less at once",
    details: { tooLarge: true },
  });
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const place = issue.path.join(".");
  return place === "" ? issue.message : `${place}: ${issue.message}`;
}
