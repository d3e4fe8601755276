import type { ZodType } from "zod";
import { nearestMatch } from "#model/nearest-match.ts";
import {
  type DefinitionsDocument,
  definitionsSchema,
} from "#policies/definitions/definitions-schema.ts";
import { type PolicyDocument, policySchema } from "#policies/policy-schema.ts";
import { field } from "#policies/raw-value.ts";
import { type CalendarDocument, calendarSchema } from "#policies/timing/calendar-schema.ts";

/** A document of a kind that files of policies may hold. */
export type AnyDocument = PolicyDocument | DefinitionsDocument | CalendarDocument;

const schemas: Readonly<Record<AnyDocument["kind"], ZodType<AnyDocument>>> = {
  Policy: policySchema,
  Definitions: definitionsSchema,
  Calendar: calendarSchema,
};

/** The kind that a document says it is of, or most likely means; a policy unless it says. */
export function kindOf(raw: unknown): AnyDocument["kind"] {
  const kind = field(raw, "kind");
  if (typeof kind !== "string") return "Policy";
  return (nearestMatch(kind, Object.keys(schemas)) ?? "Policy") as AnyDocument["kind"];
}

/** The schema of a document by its kind. */
export function schemaOfKind(raw: unknown): ZodType<AnyDocument> {
  return schemas[kindOf(raw)];
}
