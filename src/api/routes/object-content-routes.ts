import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { jsonInQuery, moment, queryNumber, reference } from "#api/schemas/input.ts";
import { objectSourcesSchema, storedObjectSchema } from "#api/schemas/object-content-schema.ts";
import {
  contentForms,
  type ReadObjectRequest,
  type StoreObjectRequest,
} from "#model/object-content.ts";
import type { Shape } from "#model/shape.ts";

const textsMax = 100;

/** A list of texts in a query string. */
const textsInQuery = jsonInQuery(
  z.array(reference).max(textsMax),
  'a JSON array of texts, such as ["a"]',
);

/** Content on its way in and out. */
export const objectContentRoutes: readonly Route[] = [
  defineRoute({
    method: "POST",
    path: "/api/v1/objects/content",
    operation: "storeObject",
    summary: "Store the body (a file, or a CAR) at a backend, verified, and enter it as an object",
    streams: "bytes",
    input: z.strictObject({
      cid: reference,
      size: queryNumber,
      profile: reference,
      form: z.enum(contentForms),
      backend: reference.exactOptional(),
      names: textsInQuery.exactOptional(),
      type: reference.exactOptional(),
      collection: reference.exactOptional(),
      owner: reference.exactOptional(),
      tags: textsInQuery.exactOptional(),
      modified: moment.exactOptional(),
    } satisfies Shape<StoreObjectRequest>),
    answer: { kind: "json", schema: storedObjectSchema },
    handle: ({ api }, request, body) => api.storeObject(request, body.bytes()),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/object/sources",
    operation: "objectSources",
    summary: "Where the content of an object can be read, the best copy first",
    input: z.strictObject({ reference }),
    answer: { kind: "json", schema: objectSourcesSchema },
    handle: ({ api }, input) => api.objectSources(input.reference),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/object/content",
    operation: "readObject",
    summary: "The bytes of one copy of an object; breaks off when they are not the object's",
    input: z.strictObject({
      object: reference,
      backend: reference,
      form: z.enum(contentForms),
      offset: queryNumber.exactOptional(),
    } satisfies Shape<ReadObjectRequest>),
    answer: { kind: "bytes", type: "application/octet-stream" },
    handle: ({ api }, request) => api.readObject(request),
  }),
];
