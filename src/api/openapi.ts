import { z } from "zod";
import type { Answer, Route } from "#api/route.ts";
import { errorCodes } from "#model/engine-error.ts";
import { problemType } from "#api/problem.ts";

/** The OpenAPI 3.1 document of a table of routes: the schemas that check are those that tell. */
export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: operationOf(route),
    };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Thermocline", version, description: "See docs/api.md for conventions." },
    paths,
    components: {
      schemas: { Problem: z.toJSONSchema(problemSchema) },
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
    security: [{ token: [] }],
  };
}

/** The parts of the document that others look into. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: Readonly<Record<string, string>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly components: object;
  readonly security: readonly object[];
}

const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(Object.keys(errorCodes)),
  exitCode: z.int(),
  retryable: z.boolean(),
  hint: z.string().optional(),
  retryAfterMs: z.number().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

const mediaTypes = {
  json: "application/json",
  ndjson: "application/x-ndjson",
  events: "text/event-stream",
  text: "text/plain",
  arrow: "application/vnd.apache.arrow.stream",
} as const;

const contentType = "application/octet-stream";

function operationOf(route: Route): object {
  const inPath = new Set(pathParameters(route.path));
  const shape = Object.entries(route.input.shape);
  // Where the body is streamed, and where there is none, the rest goes into the query.
  const hasBody = route.method !== "GET" && route.streams === undefined;
  const body = shape.filter(([name]) => !inPath.has(name) && hasBody);
  return {
    operationId: route.operation,
    summary: route.summary,
    ...(route.open ? { security: [] } : {}),
    parameters: [
      ...shape
        .filter(([name]) => !body.some(([other]) => other === name))
        .map(([name, schema]) => parameterOf(name, schema, inPath.has(name))),
      ...(takesKey(route) ? [keyParameter] : []),
    ],
    ...requestBody(route, body),
    responses: {
      ...(route.answer.kind === "none"
        ? { 204: { description: "Done" } }
        : { 200: { description: "Done", content: contentOf(route.answer) } }),
      default: {
        description: "Why not (RFC 9457)",
        content: { [problemType]: { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

/** Names in braces in a path template. */
export function pathParameters(path: string): readonly string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
}

/** Whether a route's answer is kept under its `Idempotency-Key`. */
export function takesKey(route: Route): boolean {
  return route.method !== "GET" && ["json", "none"].includes(route.answer.kind);
}

const keyParameter = {
  name: "Idempotency-Key",
  in: "header",
  description: "A repeated call with the same key gets the first answer and changes nothing",
  schema: { type: "string", maxLength: 200 },
};

function parameterOf(name: string, schema: z.core.$ZodType, inPath: boolean): object {
  return {
    name,
    in: inPath ? "path" : "query",
    required: inPath || !mayBeAbsent(schema),
    schema: schemaOf(schema, "input"),
  };
}

/** Asked of the object around it: `exactOptional` takes no undefined, but absence. */
function mayBeAbsent(schema: z.core.$ZodType): boolean {
  return z.safeParse(z.object({ parameter: schema }), {}).success;
}

function requestBody(route: Route, body: readonly (readonly [string, z.core.$ZodType])[]): object {
  if (route.streams !== undefined) {
    const type = route.streams === "lines" ? mediaTypes.ndjson : contentType;
    return { requestBody: { required: true, content: { [type]: {} } } };
  }
  if (body.length === 0) return {};
  const schema = schemaOf(z.strictObject(Object.fromEntries(body)), "input");
  return { requestBody: { required: true, content: { [mediaTypes.json]: { schema } } } };
}

function contentOf(answer: Answer): object {
  if (answer.kind === "none") return {};
  const schema = "schema" in answer ? schemaOf(answer.schema, "output") : { type: "string" };
  const type = answer.kind === "bytes" ? answer.type : mediaTypes[answer.kind];
  return { [type]: { schema } };
}

function schemaOf(schema: z.core.$ZodType, io: "input" | "output"): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}
