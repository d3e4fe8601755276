import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { createApp } from "#api/app.ts";
import { openApiDocument, pathParameters } from "#api/openapi.ts";
import { allRoutes } from "#api/routes/all-routes.ts";
import { sampleEngine } from "./sample-engine.ts";
import { sampleRun } from "./sample-values.ts";

const app = createApp(
  { api: sampleEngine(), version: "1.2.3", instance: "i" },
  { token: "t".repeat(20) },
);

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { name: string; in: string; required?: boolean; schema: object }[];
  readonly requestBody?: { content: Record<string, { schema?: object }> };
  readonly responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

async function served() {
  const answer = await app.request("/api/v1/openapi.json");
  return (await answer.json()) as {
    openapi: string;
    info: { version: string };
    paths: Record<string, Record<string, Operation>>;
  };
}

test("the document lists exactly the routes that the server answers", async () => {
  const { openapi, info, paths } = await served();
  expect(openapi).toBe("3.1.0");
  expect(info.version).toBe("1.2.3");
  const listed = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const answered = app.routes.map(({ method, path }) => `${method} ${path}`);
  expect(listed.map((entry) => entry.replaceAll(/\{(\w+)\}/g, ":$1")).toSorted()).toEqual(
    answered.toSorted(),
  );
  expect(listed).toHaveLength(allRoutes.length);
});

test("every schema of the document compiles, and every path parameter is declared", async () => {
  const { paths } = await served();
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  for (const [path, methods] of Object.entries(paths)) {
    for (const operation of Object.values(methods)) {
      for (const { schema } of operation.parameters) ajv.compile(schema);
      for (const { schema } of Object.values(operation.requestBody?.content ?? {})) {
        if (schema) ajv.compile(schema);
      }
      const schema = operation.responses["200"]?.content?.["application/json"]?.schema;
      if (schema) ajv.compile(schema);
      const declared = operation.parameters.filter((parameter) => parameter.in === "path");
      expect(declared.map(({ name }) => name)).toEqual(pathParameters(path));
    }
  }
});

test("the document's schemas accept what the server sends and refuse what it refuses", async () => {
  const { paths } = await served();
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const run = paths["/api/v1/runs/{id}"]?.["get"]?.responses["200"]?.content?.["application/json"];
  const accepts = ajv.compile(run?.schema ?? {});
  expect(accepts(sampleRun)).toBe(true);
  expect(accepts({ ...sampleRun, state: "dancing" })).toBe(false);
  const apply = paths["/api/v1/runs"]?.["post"]?.requestBody?.content["application/json"]?.schema;
  const takes = ajv.compile(apply ?? {});
  expect(takes({ maxObjects: 5 })).toBe(true);
  expect(takes({ maxObjects: -5 })).toBe(false);
  expect(takes({ everything: true })).toBe(false);
  const objects = paths["/api/v1/objects"]?.["get"]?.parameters ?? [];
  expect(objects.find(({ name }) => name === "limit")).toMatchObject({
    in: "query",
    required: false,
    schema: { default: 100 },
  });
  expect(objects.find(({ name }) => name === "where")).toMatchObject({ required: false });
  const explain = paths["/api/v1/explain"]?.["get"]?.parameters ?? [];
  expect(explain.find(({ name }) => name === "object")?.required).toBe(true);
});

test("the same table always gives the same document", () => {
  expect(openApiDocument(allRoutes, "1")).toEqual(openApiDocument(allRoutes, "1"));
});
