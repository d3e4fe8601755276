import { planLifeRoutes } from "#api/routes/plan-life-routes.ts";
import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { openApiDocument } from "#api/openapi.ts";
import { auditRoutes } from "#api/routes/audit-routes.ts";
import { batchRoutes } from "#api/routes/batch-routes.ts";
import { controlRoutes } from "#api/routes/control-routes.ts";
import { engineRoutes } from "#api/routes/engine-routes.ts";
import { eventRoutes } from "#api/routes/event-routes.ts";
import { failureRoutes } from "#api/routes/failure-routes.ts";
import { healthRoutes } from "#api/routes/health-routes.ts";
import { inventoryRoutes } from "#api/routes/inventory-routes.ts";
import { importRoutes } from "#api/routes/import-routes.ts";
import { limitRoutes } from "#api/routes/limit-routes.ts";
import { objectContentRoutes } from "#api/routes/object-content-routes.ts";
import { objectRoutes } from "#api/routes/object-routes.ts";
import { policyRoutes } from "#api/routes/policy-routes.ts";
import { reportRoutes } from "#api/routes/report-routes.ts";
import { runRoutes } from "#api/routes/run-routes.ts";
import { snapshotRoutes } from "#api/routes/snapshot-routes.ts";
import { scheduleRoutes } from "#api/routes/schedule-routes.ts";

/** Every route of the server. */
export const allRoutes: readonly Route[] = [
  ...healthRoutes,
  defineRoute({
    method: "GET",
    path: "/api/v1/openapi.json",
    operation: "openapi",
    summary: "This description",
    open: true,
    input: z.object({}),
    answer: { kind: "json", schema: z.looseObject({ openapi: z.string() }) },
    handle: ({ version }) => openApiDocument(allRoutes, version),
  }),
  ...engineRoutes,
  ...eventRoutes,
  ...policyRoutes,
  ...planLifeRoutes,
  ...objectRoutes,
  ...objectContentRoutes,
  ...reportRoutes,
  ...importRoutes,
  ...inventoryRoutes,
  ...limitRoutes,
  ...runRoutes,
  ...controlRoutes,
  ...scheduleRoutes,
  ...auditRoutes,
  ...snapshotRoutes,
  ...batchRoutes,
  ...failureRoutes,
];
