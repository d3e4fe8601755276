import { z } from "zod";
import type { PlanRequest } from "#model/engine-api.ts";
import type { ExplainRequest, RuleStatementRequest } from "#model/explanation.ts";
import { type Shape, shapeOf } from "#model/shape.ts";
import type { NameFacts } from "#model/storage-name.ts";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import {
  absolutePath,
  asOf,
  jsonInQuery,
  moment,
  queryNumber,
  reference,
  variableValues,
} from "#api/schemas/input.ts";
import { planLimitsInput } from "#api/schemas/plan-limits-input.ts";
import { explanationSchema, ruleStatementSchema } from "#api/schemas/explanation-schema.ts";
import { planActionSchema, planReportSchema } from "#model/plan-schema.ts";
import { validationReportSchema } from "#api/schemas/validation-schema.ts";

const filesMax = 1_000;
const expression = z.string().min(1).max(100_000);
const actionsMax = 10_000;
const variablesInQuery = jsonInQuery(variableValues, 'a JSON object of texts, such as {"a":"1"}');
const nameFactsSchema = shapeOf<NameFacts>({
  collection: z.string().nullable(),
  path: z.string().nullable(),
});

/** Policies and what they lead to: validate, plan, explain. */
export const policyRoutes: readonly Route[] = [
  defineRoute({
    method: "POST",
    path: "/api/v1/validate",
    operation: "validate",
    summary: "Check policy files (default: the configured ones) against the backends",
    input: z.strictObject({
      files: z.array(absolutePath).max(filesMax).optional(),
      variables: variableValues.optional(),
    }),
    answer: { kind: "json", schema: validationReportSchema },
    handle: ({ api }, { files, variables }) => api.validate(files, variables),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/plans",
    operation: "plan",
    summary: "Evaluate the policies; changes nothing",
    input: z.strictObject({
      at: moment.exactOptional(),
      policies: z.array(absolutePath).max(filesMax).exactOptional(),
      out: absolutePath.exactOptional(),
      limits: planLimitsInput.exactOptional(),
      ...asOf,
      only: expression.exactOptional(),
      variables: variableValues.exactOptional(),
    } satisfies Shape<PlanRequest>),
    answer: { kind: "json", schema: planReportSchema },
    handle: ({ api }, request) => api.plan(request),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/plans/{cid}/actions",
    operation: "planActions",
    summary: "Actions of a plan, by position",
    input: z.strictObject({
      cid: reference,
      offset: queryNumber.default(0),
      limit: queryNumber.pipe(z.number().max(actionsMax)).default(100),
    }),
    answer: { kind: "json", schema: z.array(planActionSchema) },
    handle: ({ api }, { cid, offset, limit }) => api.planActions(cid, offset, limit),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/plans/{cid}/segment",
    operation: "segment",
    summary: "Actions of a plan as an Arrow IPC stream; Thermocline-Cid names its bytes",
    input: z.strictObject({ cid: reference, from: queryNumber, to: queryNumber }),
    answer: { kind: "arrow" },
    handle: ({ api }, { cid, from, to }) => api.segment(cid, from, to),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/plans/{cid}/segment-names",
    operation: "segmentNames",
    summary: "What the objects of these actions of a plan are called now, in the same order",
    input: z.strictObject({ cid: reference, from: queryNumber, to: queryNumber }),
    answer: { kind: "json", schema: z.array(nameFactsSchema) },
    handle: ({ api }, { cid, from, to }) => api.segmentNames(cid, from, to),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/explain",
    operation: "explain",
    summary: "Why the policies do, or do not do, something with an object",
    input: z.strictObject({
      object: reference,
      at: moment.exactOptional(),
      variables: variablesInQuery.exactOptional(),
    } satisfies Shape<ExplainRequest>),
    answer: { kind: "json", schema: explanationSchema },
    handle: ({ api }, request) => api.explain(request),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/rule-statements",
    operation: "ruleStatements",
    summary: "The SQL by which rules of a policy find the objects that they would act on",
    input: z.strictObject({
      rule: reference,
      at: moment.exactOptional(),
      variables: variablesInQuery.exactOptional(),
    } satisfies Shape<RuleStatementRequest>),
    answer: { kind: "json", schema: z.array(ruleStatementSchema) },
    handle: ({ api }, request) => api.ruleStatements(request),
  }),
];
