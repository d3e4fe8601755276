import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { toldEventSchema } from "#api/schemas/event-schema.ts";

/** What happens, as it happens. */
export const eventRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/events",
    operation: "events",
    summary: "What becomes true in the index, as Server-Sent Events",
    input: z.strictObject({ after: z.string().max(100).exactOptional() }),
    answer: { kind: "events", schema: toldEventSchema },
    handle: ({ api }, { after }) => api.events(after),
  }),
];
